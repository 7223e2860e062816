"""Times from start to the first token with a picture, against llama.cpp's own multimodal tool.

`python benches/picture.py PARLOR LLAMA_MTMD_CLI MODEL MMPROJ PICTURE [ROUNDS]`: both write one token and
end, in turns, with two threads and the same files.
"""

import statistics
import subprocess
import sys
import time

parlor, peer, model, eyes, picture = sys.argv[1:6]
rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 7
words = "Describe this picture."
commands = {
    "parlor": [parlor, "ask", "--model", model, "--mmproj", eyes, "--temp", "0", "--max-tokens", "1"]
    + ["--threads", "2", "--ctx", "2048", "--image", picture, words],
    "llama-mtmd-cli": [peer, "-m", model, "--mmproj", eyes, "--temp", "0", "-n", "1", "-t", "2", "-c", "2048"]
    + ["--no-warmup", "--image", picture, "-p", words, "--jinja"],
}
times = {name: [] for name in commands}
for _ in range(rounds):
    for name, command in commands.items():
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        times[name].append(1000 * (time.perf_counter() - begun))
for name, taken in times.items():
    print(f"{name:15} median {statistics.median(taken):.0f} ms, least {min(taken):.0f}, most {max(taken):.0f}")
print(f"ratio {statistics.median(times['parlor']) / statistics.median(times['llama-mtmd-cli']):.3f}")
