//! How the next token is chosen: the values, their ranges and their names.
//!
//! [`SETTINGS`] is the one table that the config file, `/set`, the settings
//! popup and the command line are checked against.

use serde::{Deserialize, Serialize};

/// Sampling values. Chains run in llama.cpp's order: penalties, top-k, top-p,
/// min-p, temperature, draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sampling {
    /// 0 always takes the likeliest token.
    pub temperature: f32,
    /// 0 keeps every token.
    pub top_k: u32,
    pub top_p: f32,
    pub min_p: f32,
    pub repeat_penalty: f32,
    /// How many of the latest tokens the repeat penalty looks at.
    pub repeat_last: u32,
    /// None draws a new seed for each answer.
    pub seed: Option<u32>,
    /// None writes until the model stops or the context is full.
    pub max_tokens: Option<u32>,
    /// The answer ends before the first of these.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.7,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repeat_penalty: 1.0,
            repeat_last: 64,
            seed: None,
            max_tokens: None,
            stop: Vec::new(),
        }
    }
}

/// Why a value was refused, in words for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("there is no setting “{name}”; the settings are {known}")]
    Unknown { name: String, known: String },
    #[error("{name} must be {range}, not “{given}”")]
    OutOfRange {
        name: &'static str,
        range: String,
        given: String,
    },
}

/// One number that can be set.
#[derive(Debug)]
pub struct Setting {
    /// The name in the config file and in `/set`.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    pub min: f64,
    pub max: f64,
    /// Size of one step in the settings popup.
    pub step: f64,
    /// Whole numbers only.
    pub whole: bool,
    /// What no value at all means, for the settings that may have none.
    pub unset: Option<&'static str>,
    get: fn(&Sampling) -> Option<f64>,
    put: fn(&mut Sampling, Option<f64>),
}

/// Every number that can be set, in the order in which it is shown.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "temperature",
        doc: "0 takes the likeliest word each time; higher is freer",
        min: 0.0,
        max: 5.0,
        step: 0.1,
        whole: false,
        unset: None,
        get: |s| Some(widen(s.temperature)),
        put: |s, v| s.temperature = v.unwrap_or_default() as f32,
    },
    Setting {
        name: "top-k",
        doc: "choose among this many likeliest words; 0 is no limit",
        min: 0.0,
        max: 1_000_000.0,
        step: 5.0,
        whole: true,
        unset: None,
        get: |s| Some(f64::from(s.top_k)),
        put: |s, v| s.top_k = v.unwrap_or_default() as u32,
    },
    Setting {
        name: "top-p",
        doc: "choose among the words that make up this share; 1 is off",
        min: 0.0,
        max: 1.0,
        step: 0.05,
        whole: false,
        unset: None,
        get: |s| Some(widen(s.top_p)),
        put: |s, v| s.top_p = v.unwrap_or_default() as f32,
    },
    Setting {
        name: "min-p",
        doc: "drop words less likely than this share of the likeliest; 0 is off",
        min: 0.0,
        max: 1.0,
        step: 0.01,
        whole: false,
        unset: None,
        get: |s| Some(widen(s.min_p)),
        put: |s, v| s.min_p = v.unwrap_or_default() as f32,
    },
    Setting {
        name: "repeat-penalty",
        doc: "above 1 makes repeating a recent word less likely; 1 is off",
        min: 0.1,
        max: 2.0,
        step: 0.05,
        whole: false,
        unset: None,
        get: |s| Some(widen(s.repeat_penalty)),
        put: |s, v| s.repeat_penalty = v.unwrap_or_default() as f32,
    },
    Setting {
        name: "repeat-last",
        doc: "how many recent tokens the repeat penalty looks at",
        min: 0.0,
        max: 65_536.0,
        step: 16.0,
        whole: true,
        unset: None,
        get: |s| Some(f64::from(s.repeat_last)),
        put: |s, v| s.repeat_last = v.unwrap_or_default() as u32,
    },
    Setting {
        name: "seed",
        doc: "the same seed gives the same text",
        min: 0.0,
        max: 4_294_967_294.0,
        step: 1.0,
        whole: true,
        unset: Some("random"),
        get: |s| s.seed.map(f64::from),
        put: |s, v| s.seed = v.map(|v| v as u32),
    },
    Setting {
        name: "max-tokens",
        doc: "the longest answer, in tokens",
        min: 1.0,
        max: 1_000_000.0,
        step: 64.0,
        whole: true,
        unset: Some("no limit"),
        get: |s| s.max_tokens.map(f64::from),
        put: |s, v| s.max_tokens = v.map(|v| v as u32),
    },
];

/// f32 to f64 by way of decimals, so that 0.7 stays 0.7.
fn widen(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

impl Setting {
    /// Finds a setting by name; `_` and `-` are the same.
    pub fn find(name: &str) -> Result<&'static Setting, SettingError> {
        let wanted = name.trim().to_lowercase().replace('_', "-");
        SETTINGS
            .iter()
            .find(|s| s.name == wanted)
            .ok_or_else(|| SettingError::Unknown {
                name: name.trim().to_string(),
                known: SETTINGS
                    .iter()
                    .map(|s| s.name)
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// The current value, in the form in which it can be typed.
    pub fn show(&self, sampling: &Sampling) -> String {
        match ((self.get)(sampling), self.unset) {
            (Some(value), _) => trim_number(value),
            (None, Some(word)) => word.to_string(),
            (None, None) => String::new(),
        }
    }

    /// The current value; None when it has none.
    pub fn value(&self, sampling: &Sampling) -> Option<f64> {
        (self.get)(sampling)
    }

    /// The valid range in words.
    pub fn range(&self) -> String {
        let kind = if self.whole {
            "a whole number"
        } else {
            "a number"
        };
        let range = format!(
            "{kind} from {} to {}",
            trim_number(self.min),
            trim_number(self.max)
        );
        match self.unset {
            Some(word) => format!("{range}, or “{word}”"),
            None => range,
        }
    }

    /// Sets the value from what a person typed.
    pub fn set(&self, sampling: &mut Sampling, typed: &str) -> Result<(), SettingError> {
        let typed = typed.trim();
        if let Some(word) = self.unset
            && (typed.is_empty() || [word, "none", "off"].contains(&typed))
        {
            (self.put)(sampling, None);
            return Ok(());
        }
        let refuse = || SettingError::OutOfRange {
            name: self.name,
            range: self.range(),
            given: typed.to_string(),
        };
        let value: f64 = typed.parse().map_err(|_| refuse())?;
        let fits = value.is_finite()
            && (self.min..=self.max).contains(&value)
            && (!self.whole || value.fract() == 0.0);
        if !fits {
            return Err(refuse());
        }
        (self.put)(sampling, Some(value));
        Ok(())
    }

    /// Moves the value by whole steps, held inside the range. Stepping below
    /// the lowest value of an optional setting unsets it.
    pub fn step(&self, sampling: &mut Sampling, steps: i32) {
        let Some(value) = (self.get)(sampling) else {
            if steps > 0 {
                (self.put)(sampling, Some(self.min.max(self.step * f64::from(steps))));
            }
            return;
        };
        let moved = value + self.step * f64::from(steps);
        if moved < self.min && self.unset.is_some() {
            (self.put)(sampling, None);
            return;
        }
        let rounded = (moved * 1000.0).round() / 1000.0;
        (self.put)(sampling, Some(rounded.clamp(self.min, self.max)));
    }
}

impl Sampling {
    /// Checks every value against its range.
    pub fn check(&self) -> Result<(), SettingError> {
        for setting in SETTINGS {
            let shown = setting.show(self);
            setting.set(&mut self.clone(), &shown)?;
        }
        Ok(())
    }
}

fn trim_number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_inside_its_range() {
        Sampling::default().check().unwrap();
    }

    #[test]
    fn a_value_outside_its_range_is_refused_with_the_range() {
        let mut sampling = Sampling::default();
        let top_p = Setting::find("top_p").unwrap();
        let error = top_p.set(&mut sampling, "1.5").unwrap_err();
        assert_eq!(
            error.to_string(),
            "top-p must be a number from 0 to 1, not “1.5”"
        );
        assert!(top_p.set(&mut sampling, "NaN").is_err());
        assert_eq!(sampling, Sampling::default());
    }

    #[test]
    fn an_optional_setting_can_be_unset_by_its_word_or_by_stepping_down() {
        let mut sampling = Sampling {
            seed: Some(4),
            ..Sampling::default()
        };
        let seed = Setting::find("seed").unwrap();
        assert_eq!(seed.show(&sampling), "4");
        seed.set(&mut sampling, "random").unwrap();
        assert_eq!(sampling.seed, None);
        let max = Setting::find("max-tokens").unwrap();
        max.step(&mut sampling, 1);
        assert_eq!(sampling.max_tokens, Some(64));
        max.step(&mut sampling, -1);
        assert_eq!(sampling.max_tokens, None);
    }

    #[test]
    fn stepping_stays_in_range_and_free_of_rounding_dust() {
        let mut sampling = Sampling::default();
        let temperature = Setting::find("temperature").unwrap();
        temperature.step(&mut sampling, 1);
        assert_eq!(temperature.show(&sampling), "0.8");
        temperature.step(&mut sampling, -100);
        assert_eq!(temperature.show(&sampling), "0");
    }
}
