//! Short texts, of which each device has some.

use alloc::boxed::Box;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

/// Bytes that a [`Word`] holds by itself.
const INLINE: usize = 22;

/// A text that never changes and mostly is short, as ids are: up to 22 bytes it takes no memory but its own 24.
#[derive(Clone)]
pub struct Word(Form);

#[derive(Clone)]
enum Form {
    Short { len: u8, bytes: [u8; INLINE] },
    Long(Box<str>),
}

impl Word {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Short { .. } => core::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Form::Long(text) => text,
        }
    }

    /// The bytes of the text, which need not be looked through to be one.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Form::Long(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        let form = match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text.as_bytes());
                Form::Short { len, bytes }
            }
            (Some(_) | None, _) => Form::Long(text.into()),
        };
        Self(form)
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Default for Word {
    fn default() -> Self {
        Self::from("")
    }
}

impl Deref for Word {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Word {}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Word {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Word> for String {
    fn eq(&self, other: &Word) -> bool {
        self == other.as_str()
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_out_as_it_went_in() {
        for len in [0, 1, INLINE - 1, INLINE, INLINE + 1, 64, 255, 256, 300] {
            let text = "é".repeat(len / 2) + &"x".repeat(len % 2);
            let word = Word::from(text.as_str());
            assert_eq!(word.as_str(), text);
            assert_eq!(matches!(word.0, Form::Short { .. }), len <= INLINE, "{len}");
        }
        let words = ["", "a", "aa", &"a".repeat(30), "b"].map(Word::from);
        assert!(words.is_sorted());
        assert_eq!(size_of::<Word>(), 24);
    }
}
