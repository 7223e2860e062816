//! A file's name, from what a server says or from an address.

use reqwest::Url;

/// The most characters of a name.
const LONGEST: usize = 120;

/// The name in a `Content-Disposition` (RFC 6266). `filename*`, which can say
/// it in any script (RFC 8187), comes before `filename`.
pub(super) fn told(disposition: &str) -> Option<String> {
    let parameters = parameters(disposition);
    let find = |wanted: &str| {
        let found = parameters.iter().find(|(n, _)| n == wanted);
        found.map(|(_, value)| value.as_str())
    };
    find("filename*")
        .and_then(extended)
        .and_then(|name| clean(&name))
        .or_else(|| find("filename").and_then(clean))
}

/// The last part of an address' path that names something.
pub(super) fn last_segment(url: &Url) -> Option<String> {
    let segment = url.path_segments()?.next_back()?;
    clean(&String::from_utf8_lossy(&decoded(segment)))
}

/// A name without a folder, without what cannot be seen, and not too long; none
/// if nothing is left.
fn clean(name: &str) -> Option<String> {
    // A name that is a path is one of its last part only.
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = last
        .chars()
        .filter(|c| !is_unseen(*c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    // A dot in front hides a file, one behind is lost on Windows.
    let name = seen.trim_matches(|c: char| c.is_whitespace() || c == '.');
    (!name.is_empty()).then(|| shorten(name))
}

/// Control characters, and those that turn the text around: `gpj.exe` can be
/// made to read `exe.jpg`.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{2028}'..='\u{202e}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}')
}

/// Keeps the extension.
fn shorten(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, e)| format!(".{e}"))
        .filter(|e| e.chars().count() <= 12)
        .unwrap_or_default();
    let room = LONGEST - extension.chars().count();
    let stem: String = name.chars().take(room).collect();
    stem.trim_end_matches(['.', ' ']).to_owned() + &extension
}

/// `UTF-8'en'na%C3%AFve.txt`
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = decoded(text);
    if charset.eq_ignore_ascii_case("iso-8859-1") {
        return Some(bytes.into_iter().map(char::from).collect());
    }
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// `%20` and the like; what is no such thing stays.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|c| std::str::from_utf8(c).ok());
        let byte = code
            .filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|c| u8::from_str_radix(c, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = &after[if byte.is_some() { 2 } else { 0 }..];
    }
    bytes
}

/// The parameters behind the first `;`, with names in small letters. In quotes
/// a `;` is one, and `\` makes the next character itself.
fn parameters(value: &str) -> Vec<(String, String)> {
    let (mut found, mut text, mut name) = (Vec::new(), String::new(), None);
    let mut quoted = false;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => text.extend(chars.next()),
            ';' if !quoted => found.push((name.take(), std::mem::take(&mut text))),
            '=' if !quoted && name.is_none() => name = Some(std::mem::take(&mut text)),
            _ => text.push(c),
        }
    }
    found.push((name, text));
    found
        .into_iter()
        .filter_map(|(name, text)| Some((name?.trim().to_lowercase(), text.trim().to_owned())))
        .collect()
}
