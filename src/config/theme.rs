//! Theme files: from TOML to the view's roles.

use super::paths;
use crate::ui::Theme;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Themes in the binary, by name.
const BUILT_IN: &[(&str, &str)] = &[("terminal", include_str!("../../themes/terminal.toml"))];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTheme {
    roles: BTreeMap<String, RawStyle>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct RawStyle {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
    strike: bool,
}

/// The default theme.
pub fn default() -> Theme {
    // Held by a test: the built-in themes parse without a warning.
    parse(BUILT_IN[0].1).unwrap_or_default()
}

/// Finds a theme by name: the person's own files first, then the built-in.
pub fn find(name: &str) -> Result<Theme, String> {
    let own = paths::config_file().and_then(|p| {
        let file = p.parent()?.join("themes").join(format!("{name}.toml"));
        std::fs::read_to_string(&file).ok().map(|text| (file, text))
    });
    if let Some((file, text)) = own {
        return parse(&text).map_err(|e| format!("{}: {e}", file.display()));
    }
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => parse(text),
        None => {
            let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            Err(format!(
                "there is no theme “{name}”; built in: {}",
                known.join(", ")
            ))
        }
    }
}

/// Reads a theme. Roles that it leaves out keep the terminal's own look.
pub fn parse(text: &str) -> Result<Theme, String> {
    let raw: RawTheme = toml::from_str(text).map_err(|e| e.to_string())?;
    let mut theme = Theme::default();
    for (name, raw) in raw.roles {
        let role = theme.role_mut(&name).ok_or_else(|| {
            format!(
                "there is no role “{name}”; the roles are {}",
                Theme::ROLES.join(", ")
            )
        })?;
        *role = style(&raw).map_err(|colour| format!("{name}: “{colour}” is not a colour"))?;
    }
    Ok(theme)
}

fn style(raw: &RawStyle) -> Result<Style, String> {
    let colour = |name: &Option<String>| match name {
        None => Ok(None),
        Some(name) => name.parse::<Color>().map(Some).map_err(|_| name.clone()),
    };
    let mut style = Style {
        fg: colour(&raw.fg)?,
        bg: colour(&raw.bg)?,
        ..Style::default()
    };
    let flags = [
        (raw.bold, Modifier::BOLD),
        (raw.dim, Modifier::DIM),
        (raw.italic, Modifier::ITALIC),
        (raw.underline, Modifier::UNDERLINED),
        (raw.reverse, Modifier::REVERSED),
        (raw.strike, Modifier::CROSSED_OUT),
    ];
    for (_, modifier) in flags.iter().filter(|(on, _)| *on) {
        style = style.add_modifier(*modifier);
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_names_every_role_and_only_16_colours() {
        for (name, text) in BUILT_IN {
            let raw: RawTheme = toml::from_str(text).unwrap();
            let named: Vec<&str> = raw.roles.keys().map(String::as_str).collect();
            let missing: Vec<_> = Theme::ROLES.iter().filter(|r| !named.contains(r)).collect();
            assert!(missing.is_empty(), "{name} lacks {missing:?}");
            assert!(
                !text.contains("\"#"),
                "{name} uses a colour beyond the terminal's own"
            );
            parse(text).unwrap();
        }
    }

    #[test]
    fn a_wrong_role_or_colour_is_an_error_that_names_it() {
        assert!(
            parse("[roles]\nheadin = {}")
                .unwrap_err()
                .contains("“headin”")
        );
        assert!(
            parse("[roles]\ncode = { fg = \"greeen\" }")
                .unwrap_err()
                .contains("“greeen”")
        );
    }

    #[test]
    fn without_colours_keeps_weight() {
        let plain = default().without_colours();
        assert_eq!(plain.question.fg, None);
        assert!(plain.question.add_modifier.contains(Modifier::BOLD));
    }
}
