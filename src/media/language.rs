//! The language of a text file, by its name: for the fence around its text.

/// Name for people, name for a code fence, and the extensions or whole file
/// names (lower case).
const LANGUAGES: &[(&str, &str, &[&str])] = &[
    ("Ada", "ada", &["adb", "ads"]),
    ("Assembly", "asm", &["asm", "s", "nasm"]),
    ("Awk", "awk", &["awk"]),
    (
        "Bash",
        "bash",
        &[
            "sh", "bash", "bashrc", ".bashrc", ".profile", "zsh", ".zshrc", "ksh",
        ],
    ),
    ("Batch", "bat", &["bat", "cmd"]),
    ("C", "c", &["c", "h"]),
    ("C#", "csharp", &["cs", "csx"]),
    (
        "C++",
        "cpp",
        &["cpp", "cc", "cxx", "hpp", "hh", "hxx", "ipp"],
    ),
    ("Clojure", "clojure", &["clj", "cljs", "cljc", "edn"]),
    ("CMake", "cmake", &["cmake", "cmakelists.txt"]),
    ("Common Lisp", "lisp", &["lisp", "lsp", "cl"]),
    ("CSS", "css", &["css"]),
    ("CSV", "csv", &["csv", "tsv"]),
    ("CUDA", "cuda", &["cu", "cuh"]),
    ("D", "d", &["d"]),
    ("Dart", "dart", &["dart"]),
    ("Diff", "diff", &["diff", "patch"]),
    ("Dockerfile", "dockerfile", &["dockerfile", "containerfile"]),
    ("Elixir", "elixir", &["ex", "exs"]),
    ("Elm", "elm", &["elm"]),
    ("Emacs Lisp", "elisp", &["el"]),
    ("Erlang", "erlang", &["erl", "hrl"]),
    ("F#", "fsharp", &["fs", "fsx", "fsi"]),
    ("Fortran", "fortran", &["f", "f90", "f95", "f03", "for"]),
    ("GLSL", "glsl", &["glsl", "vert", "frag"]),
    ("Go", "go", &["go"]),
    ("GraphQL", "graphql", &["graphql", "gql"]),
    ("Groovy", "groovy", &["groovy", "gradle", "jenkinsfile"]),
    ("Haskell", "haskell", &["hs", "lhs"]),
    ("HCL", "hcl", &["hcl", "tf", "tfvars"]),
    ("HTML", "html", &["html", "htm", "xhtml"]),
    (
        "INI",
        "ini",
        &[
            "ini",
            "cfg",
            "conf",
            "desktop",
            "service",
            ".gitconfig",
            ".editorconfig",
        ],
    ),
    ("Java", "java", &["java"]),
    ("JavaScript", "javascript", &["js", "mjs", "cjs", "jsx"]),
    (
        "JSON",
        "json",
        &[
            "json", "jsonl", "ndjson", "json5", "jsonc", "ipynb", "geojson",
        ],
    ),
    ("Julia", "julia", &["jl"]),
    ("Kotlin", "kotlin", &["kt", "kts"]),
    ("LaTeX", "latex", &["tex", "sty", "cls", "bib"]),
    ("Lua", "lua", &["lua"]),
    (
        "Makefile",
        "makefile",
        &["mk", "makefile", "gnumakefile", "justfile"],
    ),
    ("Markdown", "markdown", &["md", "markdown", "mdx"]),
    ("MATLAB", "matlab", &["m"]),
    ("Nim", "nim", &["nim"]),
    ("Nix", "nix", &["nix"]),
    ("Objective-C", "objectivec", &["mm"]),
    ("OCaml", "ocaml", &["ml", "mli"]),
    ("Pascal", "pascal", &["pas", "pp", "dpr"]),
    ("Perl", "perl", &["pl", "pm"]),
    ("PHP", "php", &["php"]),
    ("PowerShell", "powershell", &["ps1", "psm1"]),
    ("Prolog", "prolog", &["pro"]),
    ("Protocol Buffers", "protobuf", &["proto"]),
    ("Python", "python", &["py", "pyi", "pyw"]),
    ("R", "r", &["r", "rmd"]),
    ("reStructuredText", "rst", &["rst"]),
    (
        "Ruby",
        "ruby",
        &["rb", "rake", "gemspec", "gemfile", "rakefile"],
    ),
    ("Rust", "rust", &["rs"]),
    ("Scala", "scala", &["scala", "sc", "sbt"]),
    ("Scheme", "scheme", &["scm", "ss", "rkt"]),
    ("SCSS", "scss", &["scss", "sass", "less"]),
    ("Solidity", "solidity", &["sol"]),
    ("SQL", "sql", &["sql"]),
    ("Svelte", "svelte", &["svelte"]),
    ("Swift", "swift", &["swift"]),
    ("Tcl", "tcl", &["tcl"]),
    ("TOML", "toml", &["toml", "cargo.lock"]),
    ("TypeScript", "typescript", &["ts", "mts", "cts", "tsx"]),
    ("Typst", "typst", &["typ"]),
    ("Verilog", "verilog", &["v", "sv", "svh"]),
    ("VHDL", "vhdl", &["vhd", "vhdl"]),
    ("Vim script", "vim", &["vim", ".vimrc"]),
    ("Visual Basic", "vb", &["vb", "bas"]),
    ("Vue", "vue", &["vue"]),
    ("WGSL", "wgsl", &["wgsl"]),
    ("XML", "xml", &["xml", "xsd", "xsl", "plist", "svg", "rss"]),
    ("YAML", "yaml", &["yaml", "yml"]),
    ("Zig", "zig", &["zig"]),
];

/// The language of a file: its name for people, and for a code fence. Plain
/// text is `("Text", "")`.
pub(super) fn language(name: &str) -> (&'static str, &'static str) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = name.to_ascii_lowercase();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let find = |wanted: &str| {
        LANGUAGES
            .iter()
            .find(|(.., names)| names.contains(&wanted))
            .map(|(shown, fence, _)| (*shown, *fence))
    };
    // A bare word such as `c` or `go` is no extension.
    let whole = (name.len() > 5 || name.starts_with('.'))
        .then(|| find(&name))
        .flatten();
    whole
        .or_else(|| extension.and_then(find))
        .unwrap_or(("Text", ""))
}
