//! Every integration test, in one binary.

mod suite {
    mod architecture;
    mod ask;
    mod attaching;
    mod caption;
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
    mod media;
    mod model_list;
    mod opening;
    mod picture_drawing;
    mod picture_sending;
    mod picture_terminal;
    mod recording;
    mod screen;
    mod senses;
    mod starter;
    mod states;
    mod taking;
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
