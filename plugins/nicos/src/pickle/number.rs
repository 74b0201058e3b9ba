//! Integers of any length, and floats as protocol 0 writes them.

/// The value of a little-endian two's complement number, if 64 bits hold it. No bytes are zero.
pub(super) fn to_i64(bytes: &[u8]) -> Option<i64> {
    i64::try_from(to_i128(bytes)?).ok()
}

/// The value of a little-endian two's complement number, if 128 bits hold it.
pub(super) fn to_i128(bytes: &[u8]) -> Option<i128> {
    let (value, rest) = bytes.split_at(bytes.len().min(16));
    let fill = if bytes.last().is_some_and(|&top| top >= 0x80) {
        0xff
    } else {
        0
    };
    let mut wide = [fill; 16];
    wide.get_mut(..value.len())?.copy_from_slice(value);
    let number = i128::from_le_bytes(wide);
    // Longer is fine where the extra bytes only repeat the sign.
    let same_sign = (number < 0) == (fill == 0xff);
    (same_sign && rest.iter().all(|&byte| byte == fill)).then_some(number)
}

/// The magnitude of a little-endian number of up to 128 bits whose extra byte is zero, as UUIDs are stored.
pub(super) fn to_u128(bytes: &[u8]) -> Option<u128> {
    let (value, rest) = bytes.split_at(bytes.len().min(16));
    if rest.iter().any(|&byte| byte != 0)
        || (rest.is_empty() && value.last().is_some_and(|&top| top >= 0x80))
    {
        return None;
    }
    let mut wide = [0; 16];
    wide.get_mut(..value.len())?.copy_from_slice(value);
    Some(u128::from_le_bytes(wide))
}

/// A two's complement number in decimal. Quadratic in its length, which is limited beforehand.
pub(super) fn to_decimal(bytes: &[u8]) -> String {
    let negative = bytes.last().is_some_and(|&top| top >= 0x80);
    let mut magnitude = if negative {
        negated(bytes)
    } else {
        bytes.to_vec()
    };
    let mut groups = Vec::new();
    while magnitude.iter().any(|&byte| byte != 0) {
        groups.push(divide(&mut magnitude, 1_000_000_000));
    }
    let mut text = String::from(if negative { "-" } else { "" });
    text.push_str(&groups.pop().unwrap_or(0).to_string());
    for group in groups.iter().rev() {
        text.push_str(&format!("{group:09}"));
    }
    text
}

/// Checks decimal digits with an optional sign: `Some(Some(n))` if 64 bits hold them, `Some(None)` if not. As Python
/// does, it takes leading zeros only where all are.
pub(super) fn check_digits(digits: &[u8]) -> Option<Option<i64>> {
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok();
    let padded = unsigned.len() > 1 && unsigned.first() == Some(&b'0');
    (!padded || number == Some(0)).then_some(number)
}

/// A float as Python's `repr` writes it, `inf` and `nan` included.
pub(super) fn parse_float(line: &[u8]) -> Option<f64> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut carry = true;
    let flip = |&byte: &u8| {
        let (sum, overflow) = (!byte).overflowing_add(u8::from(carry));
        carry = overflow;
        sum
    };
    bytes.iter().map(flip).collect()
}

/// Divides in place, little-endian, and returns the remainder.
fn divide(magnitude: &mut [u8], divisor: u32) -> u32 {
    let mut remainder = 0u64;
    for byte in magnitude.iter_mut().rev() {
        let value = (remainder << 8) | u64::from(*byte);
        // The quotient of a remainder below the divisor and one byte fits a byte.
        *byte = u8::try_from(value / u64::from(divisor)).unwrap_or(u8::MAX);
        remainder = value % u64::from(divisor);
    }
    u32::try_from(remainder).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_length_become_decimal() {
        assert_eq!(
            to_decimal(&(-1i128 << 100).to_le_bytes()),
            (-1i128 << 100).to_string()
        );
        assert_eq!(to_decimal(&i128::MAX.to_le_bytes()), i128::MAX.to_string());
        assert_eq!(to_decimal(&i128::MIN.to_le_bytes()), i128::MIN.to_string());
        assert_eq!(to_decimal(&[]), "0");
    }

    #[test]
    fn short_integers_keep_their_sign() {
        assert_eq!(to_i64(&[0xff]), Some(-1));
        assert_eq!(to_i64(&[0xff, 0]), Some(255));
        assert_eq!(to_i64(&[]), Some(0));
        assert_eq!(to_i64(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0]), None);
    }

    #[test]
    fn a_uuid_with_its_top_bit_set_is_positive() {
        assert_eq!(to_u128(&[0xff; 16]), None);
        let mut padded = vec![0xff; 16];
        padded.push(0);
        assert_eq!(to_u128(&padded), Some(u128::MAX));
    }
}
