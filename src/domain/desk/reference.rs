//! Case references: unique for ever, and safe to read out over a phone.
//!
//! "NTU-XXXX-XXXC": seven symbols for the case's number and a check symbol C. Of each group that is mistaken for one
//! another by eye or ear (0 O Q D, 1 I L, 2 Z, 5 S, 6 G, 8 B, M N, U V Y) the 23 symbols have at most one. Numbers are
//! scrambled, so that neighbours in time look nothing alike; the check symbol finds every misheard symbol and every
//! swap of neighbours, so that neither ever names another case.

use alloc::string::String;
use core::fmt;

const SYMBOLS: &[u8; 23] = b"23456789ACDEFHJKMPRTWXY";
const BASE: u64 = 23;
/// How many references there are: 23^7.
pub const MAX_CASES: u64 = 3_404_825_447;
/// Odd multiplier without a common factor with 23, about `MAX_CASES` divided by the golden ratio.
const SCRAMBLE: u64 = 2_104_297_843;
const PREFIX: &str = "NTU";

/// The reference of a case. Holds the case's number, from 1; numbers are given out once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(u64);

/// What has a reference. A number is that of a case or of an umbrella, never of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A case.
    Case(Reference),
    /// An umbrella.
    Umbrella(Reference),
}

impl Topic {
    /// Its reference.
    #[must_use]
    pub const fn reference(self) -> Reference {
        match self {
            Self::Case(reference) | Self::Umbrella(reference) => reference,
        }
    }

    /// The case's reference, if it is one.
    #[must_use]
    pub const fn case(self) -> Option<Reference> {
        match self {
            Self::Case(reference) => Some(reference),
            Self::Umbrella(_) => None,
        }
    }

    /// The umbrella's reference, if it is one.
    #[must_use]
    pub const fn umbrella(self) -> Option<Reference> {
        match self {
            Self::Umbrella(reference) => Some(reference),
            Self::Case(_) => None,
        }
    }
}

/// Why a text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misread {
    /// It has not the eight symbols of a reference.
    Shape,
    /// A symbol that no reference has.
    Symbol(char),
    /// The check symbol says that something was misheard or mistyped.
    Check,
}

impl Reference {
    /// The first of all.
    pub const FIRST: Self = Self(1);

    /// The reference of the case with this number.
    ///
    /// # Panics
    /// If the number is not within 1 and [`MAX_CASES`] - 1.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        assert!(number > 0 && number < MAX_CASES);
        Self(number)
    }

    /// The case's number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    fn symbols(self) -> [u8; 8] {
        let scrambled = u128::from(self.0) * u128::from(SCRAMBLE) % u128::from(MAX_CASES);
        let mut rest = u64::try_from(scrambled).unwrap_or(0);
        let mut values = [0; 7];
        for value in values.iter_mut().rev() {
            *value = rest % BASE;
            rest /= BASE;
        }
        let mut symbols = [0; 8];
        let all = values.iter().copied().chain([check(&values)]);
        for (symbol, value) in symbols.iter_mut().zip(all) {
            *symbol = SYMBOLS[value as usize];
        }
        symbols
    }

    /// Reads a reference as a person writes it: any case, with or without prefix, dashes and spaces.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Misread> {
        let plain: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
        let plain = plain.strip_prefix(PREFIX).unwrap_or(&plain);
        let mut values = [0; 8];
        if plain.chars().count() != values.len() {
            return Err(Misread::Shape);
        }
        for (value, symbol) in values.iter_mut().zip(plain.chars()) {
            let position = SYMBOLS.iter().position(|&s| char::from(s) == symbol).ok_or(Misread::Symbol(symbol))?;
            *value = position as u64;
        }
        let (number, last) = values.split_at(7);
        if check(number) != last[0] {
            return Err(Misread::Check);
        }
        let scrambled = number.iter().fold(0, |sum, value| sum * BASE + value);
        let number = u128::from(scrambled) * u128::from(UNSCRAMBLE) % u128::from(MAX_CASES);
        match u64::try_from(number).unwrap_or(0) {
            0 => Err(Misread::Check),
            number => Ok(Self(number)),
        }
    }
}

/// Weighted sum modulo a prime: every single error and every swap of neighbours changes it.
fn check(values: &[u64]) -> u64 {
    values.iter().zip(2..).map(|(value, weight)| value * weight).sum::<u64>() % BASE
}

/// The inverse of [`SCRAMBLE`] modulo [`MAX_CASES`].
const UNSCRAMBLE: u64 = inverse(SCRAMBLE, MAX_CASES);

/// Extended Euclid.
const fn inverse(a: u64, modulus: u64) -> u64 {
    let (mut r0, mut r1) = (modulus as i128, a as i128);
    let (mut t0, mut t1) = (0_i128, 1_i128);
    while r1 != 0 {
        let q = r0 / r1;
        (r0, r1) = (r1, r0 - q * r1);
        (t0, t1) = (t1, t0 - q * t1);
    }
    assert!(r0 == 1, "the multiplier has an inverse");
    t0.rem_euclid(modulus as i128) as u64
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let symbols = self.symbols();
        let text = core::str::from_utf8(&symbols).map_err(|_| fmt::Error)?;
        let (first, second) = text.split_at(4);
        write!(f, "{PREFIX}-{first}-{second}")
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("a case reference has the form NTU-XXXX-XXXX"),
            Self::Symbol(symbol) => write!(f, "no case reference contains {symbol:?}: please read it again"),
            Self::Check => f.write_str("the check symbol does not fit: please read the reference again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::string::ToString;

    #[test]
    fn a_million_references_differ_and_read_back() {
        let mut seen = BTreeSet::new();
        for number in (1..=1_000_000).chain(MAX_CASES - 1_000..MAX_CASES) {
            let reference = Reference::from_number(number);
            assert!(seen.insert(reference.symbols()), "{reference} was given out twice");
            if number % 97 == 0 {
                assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
            }
        }
    }

    #[test]
    fn a_misheard_symbol_or_a_swap_never_names_another_case() {
        for number in (1..200_000).step_by(1_999) {
            let good = Reference::from_number(number).symbols();
            let text = |symbols: [u8; 8]| String::from_utf8(symbols.to_vec()).unwrap();
            for place in 0..8 {
                for &other in SYMBOLS {
                    let mut heard = good;
                    heard[place] = other;
                    assert_eq!(heard == good, Reference::parse(&text(heard)).is_ok(), "{}", text(heard));
                }
                if place < 7 {
                    let mut swapped = good;
                    swapped.swap(place, place + 1);
                    assert_eq!(swapped == good, Reference::parse(&text(swapped)).is_ok(), "{}", text(swapped));
                }
            }
        }
    }

    #[test]
    fn people_may_write_it_as_they_like() {
        let reference = Reference::from_number(42);
        let text = reference.to_string();
        assert_eq!(text.len(), "NTU-XXXX-XXXX".len());
        assert_eq!(Reference::parse(&text.to_lowercase()), Ok(reference));
        assert_eq!(Reference::parse(&text.replace('-', " ")[4..]), Ok(reference));
        assert_eq!(Reference::parse("NTU-2345"), Err(Misread::Shape));
        assert_eq!(Reference::parse("NTU-O345-6789"), Err(Misread::Symbol('O')));
        assert_eq!(Reference::parse(""), Err(Misread::Shape));
    }
}
