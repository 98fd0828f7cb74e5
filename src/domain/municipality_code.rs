//! Six-digit municipality codes (全国地方公共団体コード), whose last digit checks the others.

/// Whether `code` has six digits and the last one is right (weights 6 to 2, modulo 11).
#[must_use]
pub fn is_valid(code: &str) -> bool {
    let digits: Vec<u32> = code.chars().filter_map(|c| c.to_digit(10)).collect();
    let [others @ .., check] = &digits[..] else {
        return false;
    };
    let sum: u32 = others
        .iter()
        .zip([6, 5, 4, 3, 2])
        .map(|(digit, weight)| digit * weight)
        .sum();
    code.len() == 6 && digits.len() == 6 && (11 - sum % 11) % 10 == *check
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn the_check_digit_must_be_right() {
        for code in ["271063", "271276", "271021", "271080", "271268", "131016"] {
            assert!(is_valid(code), "{code}");
        }
        for code in ["271064", "27106", "2710631", "27106x", "", "２７１０６３", "172063 "] {
            assert!(!is_valid(code), "{code}");
        }
    }
}
