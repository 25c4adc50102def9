//! What a text may ask for: expressions come out of files of strangers.

/// Bytes of a text.
pub const MOST_BYTES: usize = 16 * 1024;

/// Levels of brackets, signs, powers and questions inside each other.
pub const MOST_LEVELS: usize = 64;

/// The first place at which a text goes deeper than [`MOST_LEVELS`], if there is one. Reading is recursive, so this is
/// looked at before.
pub fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // Of each open bracket: questions, and signs and powers since the last operator that does not nest.
    let mut open = vec![(0_usize, 0_usize)];
    let mut below = 0;
    // Whether a value has just ended, so that a minus takes from it.
    let mut value = false;
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        let (questions, chain) = open.last_mut()?;
        match bytes[start] {
            b'(' => {
                below += 1 + *questions + *chain;
                open.push((0, 0));
                value = false;
            }
            b')' => {
                if open.len() > 1 {
                    open.pop();
                    let (questions, chain) = open.last()?;
                    below = below.saturating_sub(1 + questions + chain);
                }
                value = true;
            }
            b'?' => {
                (*questions, *chain) = (*questions + 1, 0);
                value = false;
            }
            b',' | b';' => {
                (*questions, *chain) = (0, 0);
                value = false;
            }
            b'^' => {
                *chain += 1;
                value = false;
            }
            b'-' | b'+' | b'!' if !value => *chain += 1,
            b'"' => {
                let length = bytes[at..].iter().position(|byte| *byte == b'"');
                at = length.map_or(bytes.len(), |length| at + length + 1);
                value = true;
            }
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') => {
                at = end_of_word(bytes, start);
                value = true;
            }
            byte if byte.is_ascii_whitespace() || matches!(byte, b'[' | b']') => {}
            _ => {
                *chain = 0;
                value = false;
            }
        }
        let (questions, chain) = open.last()?;
        if below + questions + chain > MOST_LEVELS {
            return Some(start);
        }
    }
    None
}

/// The end of a name or number; the sign of an exponent belongs to it.
fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let end =
        |from: usize| bytes[from..].iter().position(|byte| !word(byte)).map_or(bytes.len(), |n| from + n);
    let first = end(start);
    let number = bytes[start].is_ascii_digit() || bytes[start] == b'.';
    let exponent =
        number && matches!(bytes[first - 1], b'e' | b'E') && matches!(bytes.get(first), Some(b'+' | b'-'));
    if exponent {
        end(first + 1)
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_texts_are_not_deep() {
        for part in
            ["a + ", "(a - 1) * ", "a^2 - ", "a * -1 + ", "2e-5 - ", "(a ? 1 : 2) + ", "max(a, -b) / "]
        {
            let text = format!("{}1", part.repeat(1000));
            assert_eq!(too_deep(&text), None, "{part}");
        }
        assert_eq!(too_deep(&"a ? b : c, ".repeat(200)), None);
    }

    #[test]
    fn deep_texts_are_found() {
        for part in
            ["(", "-", "- - +", "!", "a^", "a^-", "1e-5^", "a ? b : ", "a ? ", "max(1, ", "-(", "((a)^"]
        {
            assert!(too_deep(&part.repeat(65)).is_some(), "{part}");
        }
        assert!(too_deep(&format!("{}1{}", "(".repeat(64), ")".repeat(64))).is_none());
    }
}
