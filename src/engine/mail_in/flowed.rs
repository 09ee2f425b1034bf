//! Paragraphs out of lines that were broken to be sent (RFC 3676, `format=flowed`).

/// Puts the lines together again. With `del_sp` the space that says "it goes on" was added for that alone.
pub(super) fn join(text: &str, del_sp: bool) -> String {
    let mut joined = String::with_capacity(text.len());
    // How deep the paragraph is quoted that the line before left open.
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let words = line[depth..].strip_prefix(' ').unwrap_or(&line[depth..]);
        let is_mark = words == "-- ";
        if open.take() != Some(depth) || is_mark {
            if !joined.is_empty() && !joined.ends_with('\n') {
                joined.push('\n');
            }
            joined.extend(core::iter::repeat_n('>', depth));
            if depth > 0 {
                joined.push(' ');
            }
        }
        match words.strip_suffix(' ') {
            Some(cut) if !is_mark => {
                joined.push_str(if del_sp { cut } else { words });
                open = Some(depth);
            }
            Some(_) | None => {
                joined.push_str(words);
                joined.push('\n');
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowing_lines_are_joined_within_their_depth() {
        assert_eq!(join("a \nb\n c\n\nd", false), "a b\nc\n\nd\n");
        assert_eq!(join("a \nb", true), "ab\n");
        assert_eq!(join("> a \n> b\n>> c\n", false), "> a b\n>> c\n\n");
        assert_eq!(join("a \n> b", false), "a \n> b\n");
        assert_eq!(join("a \n-- \nme", false), "a \n-- \nme\n");
    }
}
