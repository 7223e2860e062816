//! Every integration test, in one binary.

mod suite {
    mod architecture;
    mod ask;
    mod chat;
    mod conversations;
    mod engine;
    mod exchange;
    mod gguf;
    mod help;
    mod hub;
    mod kills;
    mod library;
    mod loading;
    mod managing;
    mod model_list;
    mod screen;
    mod starter;
    mod states;
    mod terminal;
    mod tree;
    mod words;
}

mod support {
    pub mod engine;
    pub mod gguf;
    pub mod harness;
    pub mod terminal;
}
