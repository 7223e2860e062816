//! Any conversation at all, for tests of properties.

use parlor::chat::{
    About, Answer, Conversation, Made, MessageId, Node, Progress, Said, Sampling, Source, Timings,
    Titled, Tree, Usage,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Anything, and what our own Markdown is made of.
pub fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any::<String>(),
        1 => "[a-c \\\\\n\r`~#>-]{0,12}",
        1 => prop::sample::select(vec![
            "\n<!-- parlor: user 7 -->\n",
            "\n\\<!-- parlor: end -->\n",
            "<!-- parlor: end -->",
            "<!-- parlor: conversation\nparlor: 1\n-->",
            "---\nparlor: 1\n---\n",
            "\n## You\n\n",
            "\n```\n",
            "```rust",
            "~~~~",
            "</details>",
            "\r\n",
            "\n\n",
            "-->",
            "\u{feff}",
            "\0\u{1b}[31m\u{202e}",
        ])
        .prop_map(str::to_owned),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        Just(Progress::Done),
        Just(Progress::Stopped),
        Just(Progress::Cut),
        Just(Progress::Interrupted),
        text().prop_map(Progress::Failed),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    let sampling = (
        0.0f32..5.0,
        any::<u32>(),
        any::<Option<u32>>(),
        vec(text(), 0..3),
    );
    (text(), any::<Option<u32>>(), text(), sampling).prop_map(
        |(model, seed, system, (temperature, top_k, max_tokens, stop))| Made {
            model,
            seed,
            system,
            sampling: Sampling {
                temperature,
                top_k,
                max_tokens,
                stop,
                ..Sampling::default()
            },
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    let times = (0.0f64..1e9, 0.0f64..1e6, prop::option::of(made()));
    (text(), text(), progress(), counts, times, text()).prop_map(
        |(text, thinking, progress, counts, (load_ms, generate_tps, made), source)| Answer {
            text,
            thinking,
            progress,
            usage: Usage {
                prompt_tokens: counts.0,
                cached_tokens: counts.1,
                completion_tokens: counts.2,
                encoded: counts.0 / 2,
            },
            timings: Timings {
                load_ms,
                generate_tps,
                ..Timings::default()
            },
            sources: match source.as_str() {
                "" => Vec::new(),
                id => vec![Source {
                    id: id.into(),
                    title: "Title".into(),
                }],
            },
            made,
        },
    )
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        text().prop_map(Said::Question),
        answer().prop_map(Said::Answer),
    ]
}

fn about() -> impl Strategy<Value = About> {
    let titled = prop_oneof![
        Just(Titled::Auto),
        Just(Titled::Model),
        Just(Titled::Person)
    ];
    let times = (-4_000_000_000_000i64..4_000_000_000_000, any::<i64>());
    (
        ("[0-9a-z]{1,12}", "[a-z]", text(), titled),
        (text(), text(), vec(text(), 0..4)),
        (any::<bool>(), any::<bool>(), times),
    )
        .prop_map(
            |((id, letter, title, titled), (model, system, tags), flags)| About {
                id,
                title: letter + &title,
                titled,
                model,
                system,
                tags,
                pinned: flags.0,
                archived: flags.1,
                created: flags.2.0,
                updated: flags.2.1,
            },
        )
}

/// Any tree: each message hangs on an earlier one or on none, and some
/// message is walked to.
pub fn conversation() -> impl Strategy<Value = Conversation> {
    let message = (said(), any::<prop::sample::Index>(), 1u64..5, any::<i64>());
    let messages = vec(message, 1..9);
    (about(), messages, any::<prop::sample::Index>()).prop_map(|(about, messages, walked)| {
        let mut tree = Tree::default();
        let mut ids: Vec<MessageId> = Vec::new();
        for (said, parent, step, at) in messages {
            let id = tree.last_id() + step;
            // One place more than there are messages: a root.
            let parent = ids.get(parent.index(ids.len() + 1)).copied();
            let mut node = Node::new(id, parent, said);
            node.at = at;
            tree.add(node);
            ids.push(id);
        }
        tree.walk_to(*walked.get(&ids));
        Conversation { about, tree }
    })
}
