//! The part that a model plays beyond its system prompt.

/// A persona by choice of the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Persona {
    /// The guide with the starter, none with any other model.
    #[default]
    Auto,
    None,
    /// Answers questions about Parlor from its help.
    Guide,
}

/// Every persona by its name in the config file and in `/persona`.
pub const PERSONAS: [(&str, Persona); 3] = [
    ("auto", Persona::Auto),
    ("none", Persona::None),
    ("guide", Persona::Guide),
];

impl Persona {
    /// The persona with this name, or what the names are.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = PERSONAS.iter().find(|(known, _)| *known == name.trim());
        found.map(|(_, persona)| *persona).ok_or_else(|| {
            format!(
                "the persona must be auto, none or guide, not “{}”",
                name.trim()
            )
        })
    }

    pub fn name(self) -> &'static str {
        let found = PERSONAS.iter().find(|(_, known)| *known == self);
        found.map_or("auto", |(name, _)| name)
    }

    /// Whether the guide speaks, with the starter or with another model.
    pub fn guides(self, starter: bool) -> bool {
        match self {
            Persona::Auto => starter,
            Persona::None => false,
            Persona::Guide => true,
        }
    }
}
