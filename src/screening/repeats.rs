//! The latest texts, by their sketches, so that those nearly the same as another are found without looking at all of them.
//!
//! A ring of a fixed size: what is new takes the place of what is oldest. For each band of a sketch a chain leads from the
//! latest text with that number to the one before; a look-up follows 24 chains a few steps and compares what it meets.

use super::shingles::{BANDS, Sketch};

/// Steps along one chain. Texts that make long chains are all alike: the latest of them say enough.
const MOST_STEPS: usize = 32;
/// Beginnings of chains for each band. Two bands' numbers may share one: what is met is compared anyway.
const HEADS: usize = 4_096;

/// Sketches, each with what is known of its text.
#[derive(Debug)]
pub struct Repeats<T> {
    most: usize,
    ring: Vec<Entry<T>>,
    /// How many were ever noted: the next one's number.
    noted: u32,
    /// Number and one more of the latest text of each chain; 0 for none.
    heads: Vec<u32>,
}

#[derive(Debug)]
struct Entry<T> {
    sketch: Sketch,
    /// In each band the number, and one more, of the text before it on the same chain; 0 for none.
    before: [u32; BANDS],
    known: T,
}

/// Where a text stands. Good until as many others were noted as are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot(u32);

impl<T> Repeats<T> {
    /// Keeps the latest `most`. It takes memory as it fills.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), ring: Vec::new(), noted: 0, heads: Vec::new() }
    }

    /// Notes a text; gives its place, and what was known of the one that had to go.
    pub fn note(&mut self, sketch: Sketch, known: T) -> (Spot, Option<T>) {
        if self.noted == u32::MAX {
            // Once in four thousand million texts all is forgotten.
            *self = Self::new(self.most);
        }
        if self.heads.is_empty() {
            self.heads = vec![0; BANDS * HEADS];
        }
        let number = self.noted;
        self.noted += 1;
        let mut before = [0; BANDS];
        for ((band, key), before) in sketch.bands().into_iter().enumerate().zip(&mut before) {
            *before = std::mem::replace(&mut self.heads[head(band, key)], number + 1);
        }
        let entry = Entry { sketch, before, known };
        let at = number as usize % self.most;
        let gone = if let Some(place) = self.ring.get_mut(at) {
            Some(std::mem::replace(place, entry).known)
        } else {
            self.ring.push(entry);
            None
        };
        (Spot(number), gone)
    }

    /// The texts that are nearly the same as this one, each with the places in which they agree; no more than a few dozen, the
    /// latest.
    pub fn list_alike(&self, sketch: &Sketch) -> Vec<(Spot, u32)> {
        let (mut met, mut alike) = (Vec::new(), Vec::new());
        if self.heads.is_empty() {
            return alike;
        }
        for (band, key) in sketch.bands().into_iter().enumerate() {
            let mut next = self.heads[head(band, key)];
            for _ in 0..MOST_STEPS {
                let Some(number) = next.checked_sub(1) else { break };
                let Some(entry) = self.entry(number) else { break };
                next = entry.before[band];
                if met.contains(&number) {
                    continue;
                }
                met.push(number);
                if entry.sketch.is_like(sketch) {
                    alike.push((Spot(number), entry.sketch.agreement(sketch)));
                }
            }
            if alike.len() >= MOST_STEPS {
                break;
            }
        }
        alike.sort_unstable_by_key(|(spot, _)| spot.0);
        alike
    }

    /// The sketch of a text, unless it had to go.
    pub fn sketch(&self, spot: Spot) -> Option<&Sketch> {
        self.entry(spot.0).map(|entry| &entry.sketch)
    }

    /// What is known of a text, unless it had to go.
    pub fn get(&self, spot: Spot) -> Option<&T> {
        self.entry(spot.0).map(|entry| &entry.known)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, spot: Spot) -> Option<&mut T> {
        self.entry(spot.0)?;
        self.ring.get_mut(spot.0 as usize % self.most).map(|entry| &mut entry.known)
    }

    fn entry(&self, number: u32) -> Option<&Entry<T>> {
        let is_kept = number < self.noted && (self.noted - number) as usize <= self.most;
        self.ring.get(number as usize % self.most).filter(|_| is_kept)
    }
}

fn head(band: usize, key: u32) -> usize {
    // The low half of the number is as random as the high one.
    let folded = (key >> 16) ^ key.wrapping_mul(0x9e37_79b9).rotate_left(16);
    band * HEADS + folded as usize % HEADS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(of: usize) -> Sketch {
        let words: Vec<String> = (0..40).map(|word| format!("word{}", letters(of * 1_000 + word))).collect();
        Sketch::of(&words.join(" ")).unwrap()
    }

    fn letters(number: usize) -> String {
        number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
    }

    #[test]
    fn what_is_alike_is_found_until_it_had_to_go() {
        let mut repeats = Repeats::new(100);
        for of in 0..100 {
            assert_eq!(repeats.note(sketch(of), of).1, None);
        }
        for of in 0..100 {
            let alike = repeats.list_alike(&sketch(of));
            assert_eq!(alike.iter().map(|(spot, _)| *repeats.get(*spot).unwrap()).collect::<Vec<_>>(), [of]);
        }
        let (spot, gone) = repeats.note(sketch(0), 100);
        assert_eq!(gone, Some(0));
        assert_eq!(repeats.list_alike(&sketch(0)), [(spot, 64)]);
        *repeats.get_mut(spot).unwrap() = 7;
        for of in 200..300 {
            repeats.note(sketch(of), of);
        }
        assert_eq!((repeats.get(spot), repeats.list_alike(&sketch(0))), (None, Vec::new()));
    }

    #[test]
    fn a_thousand_of_the_same_are_looked_at_in_part() {
        let mut repeats = Repeats::new(1_000);
        for number in 0..1_000 {
            repeats.note(sketch(1), number);
        }
        let alike = repeats.list_alike(&sketch(1));
        assert_eq!(alike.len(), MOST_STEPS);
        assert_eq!(repeats.get(alike.last().unwrap().0), Some(&999));
    }
}
