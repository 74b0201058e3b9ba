//! What was measured: for each contender one number a round, and what they come to.

use serde::Serialize;

use crate::machine::Machine;

/// A benchmark's outcome.
#[derive(Debug)]
pub struct Measured {
    /// Its name.
    pub bench: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// How often the contenders took turns.
    pub rounds: u32,
    /// Where and when.
    pub machine: Machine,
    /// What came out.
    pub figures: Vec<Figure>,
}

/// One quantity, of all contenders.
#[derive(Debug)]
pub struct Figure {
    /// What it is.
    pub what: String,
    /// Its unit.
    pub unit: &'static str,
    /// Who was measured; where there are ratios, they are to the first.
    pub series: Vec<Series>,
    /// What is aimed at.
    pub aims: Vec<Aim>,
}

/// One contender's numbers, one a round.
#[derive(Debug, Clone)]
pub struct Series {
    /// Whose.
    pub contender: String,
    /// In the order of the rounds, so that those of several contenders belong together.
    pub rounds: Vec<f64>,
}

/// What one contender's numbers should be.
#[derive(Debug, Clone, Serialize)]
pub struct Aim {
    /// Whose.
    pub contender: String,
    /// Compared with what.
    pub to: To,
    /// Not above it, or not below it.
    pub bound: Bound,
}

/// What an aim compares with.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Nothing: the number itself counts.
    Itself,
    /// Another contender, as a ratio.
    Times(String),
    /// The difference to these others' sum.
    OverSumOf(Vec<String>),
}

/// On which side of a number to be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Not above.
    AtMost(f64),
    /// Not below.
    AtLeast(f64),
}

/// A median with the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two in the middle.
    pub median: f64,
    /// The least.
    #[serde(rename = "least")]
    pub min: f64,
    /// The greatest.
    #[serde(rename = "greatest")]
    pub max: f64,
}

impl Spread {
    /// Of these numbers, if there are any.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            1 => sorted[half],
            _ => f64::midpoint(sorted[half - 1], sorted[half]),
        };
        Some(Self { median, min, max })
    }
}

impl Figure {
    /// Of nobody so far.
    pub fn new(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            unit,
            series: Vec::new(),
            aims: Vec::new(),
        }
    }

    /// Adds a number of this round.
    pub fn add(&mut self, contender: &str, number: f64) {
        match self
            .series
            .iter_mut()
            .find(|series| series.contender == contender)
        {
            Some(series) => series.rounds.push(number),
            None => self.series.push(Series {
                contender: contender.to_owned(),
                rounds: vec![number],
            }),
        }
    }

    /// Adds an aim.
    pub fn aim(mut self, contender: &str, to: To, bound: Bound) -> Self {
        self.aims.push(Aim {
            contender: contender.to_owned(),
            to,
            bound,
        });
        self
    }

    /// A contender's numbers.
    pub fn of(&self, contender: &str) -> &[f64] {
        self.series
            .iter()
            .find(|series| series.contender == contender)
            .map_or(&[], |series| &series.rounds)
    }

    /// What an aim is about, and whether it is reached; by the median.
    pub fn reached(&self, aim: &Aim) -> Option<(Spread, bool)> {
        let own = self.of(&aim.contender);
        let numbers = match &aim.to {
            To::Itself => own.to_vec(),
            To::Times(other) => ratios(own, self.of(other)),
            To::OverSumOf(others) => {
                let mut left = own.to_vec();
                for other in others {
                    left = left
                        .iter()
                        .zip(self.of(other))
                        .map(|(a, b)| a - b)
                        .collect();
                }
                left
            }
        };
        let spread = Spread::of(&numbers)?;
        let is_reached = match aim.bound {
            Bound::AtMost(most) => spread.median <= most,
            Bound::AtLeast(least) => spread.median >= least,
        };
        Some((spread, is_reached))
    }
}

/// Round by round, so that what disturbed both at the same time cancels out.
pub fn ratios(numbers: &[f64], to: &[f64]) -> Vec<f64> {
    let both = numbers.iter().zip(to);
    both.filter(|(_, to)| **to != 0.0)
        .map(|(number, to)| number / to)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_of_what_was_measured() {
        let spread =
            Spread::of(&[3.0, 1.0, 9.0]).map(|spread| (spread.median, spread.min, spread.max));
        assert_eq!(spread, Some((3.0, 1.0, 9.0)));
        let even = Spread::of(&[4.0, 1.0, 2.0, 9.0]).map(|spread| spread.median);
        assert_eq!(even, Some(3.0));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // Each is twice the other in its own round; their medians are not.
        assert_eq!(
            ratios(&[2.0, 20.0, 4.0], &[1.0, 10.0, 2.0]),
            [2.0, 2.0, 2.0]
        );
        assert_eq!(ratios(&[1.0], &[0.0]), Vec::<f64>::new());
    }

    fn figure() -> Figure {
        let mut figure = Figure::new("delay", "µs");
        for (floor, server, gateway) in [
            (100.0, 10.0, 130.0),
            (200.0, 20.0, 260.0),
            (110.0, 10.0, 140.0),
        ] {
            figure.add("floor", floor);
            figure.add("server", server);
            figure.add("gateway", gateway);
        }
        figure
    }

    fn reached(to: To, bound: Bound) -> Option<(f64, bool)> {
        let figure = figure().aim("gateway", to, bound);
        let (spread, is_reached) = figure.reached(&figure.aims[0])?;
        Some((spread.median, is_reached))
    }

    #[test]
    fn an_aim_compares_a_contender_with_others() {
        let sum = || To::OverSumOf(vec!["floor".into(), "server".into()]);
        assert_eq!(reached(sum(), Bound::AtMost(20.0)), Some((20.0, true)));
        assert_eq!(reached(sum(), Bound::AtMost(19.0)), Some((20.0, false)));
        let ratio = || To::Times("floor".into());
        assert_eq!(reached(ratio(), Bound::AtLeast(1.3)), Some((1.3, true)));
        assert_eq!(reached(ratio(), Bound::AtLeast(1.31)), Some((1.3, false)));
        assert_eq!(
            reached(To::Itself, Bound::AtLeast(140.0)),
            Some((140.0, true))
        );
    }

    #[test]
    fn an_aim_for_somebody_who_was_not_measured_is_neither_reached_nor_missed() {
        let aim = Aim {
            contender: "nobody".into(),
            to: To::Itself,
            bound: Bound::AtMost(1.0),
        };
        assert!(figure().reached(&aim).is_none());
    }

    #[test]
    fn a_number_joins_those_of_its_contender() {
        let mut figure = figure();
        figure.add("floor", 1.0);
        figure.add("peer", 5.0);
        assert_eq!(figure.of("floor").len(), 4);
        assert_eq!(figure.of("peer"), [5.0]);
    }
}
