//! Input that readers must survive: a stored corpus as it is, and what chance makes of it.
//!
//! Every run plays the same rounds, and each is of bounded length: a reader that hangs or grows is seen as well as one that
//! panics. `NTUWATCH_FUZZ_ROUNDS` sets another number of rounds, and then another beginning of the dice as well.

use std::fmt::Write as _;
use std::fs;

/// Longest input, in bytes.
const MAX_LEN: usize = 4_096;
/// Changes to one input at most.
const MAX_CHANGES: u64 = 6;
/// Lengths, counts and tags at which readers go wrong: bounds of signed and unsigned numbers, and BER's tags and long lengths.
const EDGES: [u8; 14] = [0, 1, 2, 4, 0x0f, 0x30, 0x45, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff];

/// Hands every file in `tests/fuzz/corpus/` + `name` to `read`, and then so many inputs made of them.
pub(crate) fn play(name: &str, rounds: u64, mut read: impl FnMut(&[u8])) {
    let corpus = corpus(name);
    for seed in &corpus {
        let culprit = Culprit(seed);
        read(seed);
        drop(culprit);
    }
    #[expect(clippy::disallowed_methods, reason = "a test has no command line")]
    let asked = std::env::var("NTUWATCH_FUZZ_ROUNDS").ok();
    let asked = asked.map(|rounds| rounds.parse().expect("NTUWATCH_FUZZ_ROUNDS is a number"));
    let mut dice = Dice(asked.unwrap_or_default());
    for _ in 0..asked.unwrap_or(rounds) {
        let input = mutated(&corpus, &mut dice);
        let culprit = Culprit(&input);
        read(&input);
        drop(culprit);
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files.iter().map(|file| fs::read(file).expect("a file of the corpus")).collect()
}

/// Says which input it was if a reader panics: put it into the corpus.
struct Culprit<'a>(&'a [u8]);

impl Drop for Culprit<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex = self.0.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a string takes all");
                hex
            });
            println!("the input, as `xxd -r -p` reads it: {hex}");
        }
    }
}

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }
}

fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.roll() % MAX_CHANGES {
        change(&mut input, corpus, dice);
    }
    input.truncate(MAX_LEN);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    if input.is_empty() {
        return input.extend(dice.roll().to_be_bytes());
    }
    let (place, end) = (dice.below(input.len()), dice.below(input.len()));
    let stretch = place.min(end)..place.max(end);
    match dice.roll() % 9 {
        0 => input[place] ^= 1 << dice.below(8),
        1 => input[place] = dice.roll() as u8,
        2 | 3 => input[place] = EDGES[dice.below(EDGES.len())],
        // a length or a count that is a little off
        4 => input[place] = input[place].wrapping_add(if dice.roll() & 1 == 0 { 1 } else { u8::MAX }),
        5 => input.truncate(place),
        6 => drop(input.drain(stretch)),
        7 => {
            let copy = input[stretch].to_vec();
            input.splice(place..place, copy);
        }
        _ => {
            let other = &corpus[dice.below(corpus.len())];
            if !other.is_empty() {
                input.truncate(place);
                input.extend(&other[dice.below(other.len())..]);
            }
        }
    }
}
