//! What a theme says: a style for each role.

use ratatui::style::Style;

/// Declares the roles once, for the struct and for lookup by name.
macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident),* $(,)?) => {
        /// A style for each role on the screen.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Theme { $($(#[$doc])* pub $role: Style),* }

        impl Theme {
            /// Names of the roles, as they are written in theme files.
            pub const ROLES: &'static [&'static str] = &[$(stringify!($role)),*];

            /// The role with this name.
            pub fn role_mut(&mut self, name: &str) -> Option<&mut Style> {
                match name {
                    $(stringify!($role) => Some(&mut self.$role),)*
                    _ => None,
                }
            }
        }
    };
}

roles! {
    /// Ordinary text and the background.
    text,
    dim,
    /// What the person said.
    question,
    heading,
    strong,
    emphasis,
    strike,
    code,
    link,
    quote,
    reasoning,
    notice,
    problem,
    accent,
    /// The chosen row of a list.
    chosen,
    border,
    status,
    /// Something is under way.
    busy,
}

impl Theme {
    /// The same theme without colours, for `NO_COLOR`: weight, slant and
    /// reversal stay.
    #[must_use]
    pub fn without_colours(mut self) -> Self {
        for role in Self::ROLES {
            if let Some(style) = self.role_mut(role) {
                style.fg = None;
                style.bg = None;
            }
        }
        self
    }
}
