//! A store of articles, with something of everything that Rust has.
#![allow(dead_code)]

use std::collections::HashMap;
use std::fmt::{self, Display};

/// How many there may be.
pub const LIMIT: usize = 1_000;
static NAMES: [&str; 2] = ["a", "b"];

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Small,
    Large { size: usize },
    Named(String, u8),
}

#[derive(Debug)]
pub struct Store<T> {
    shelves: HashMap<String, Vec<T>>,
    rate: f64,
}

pub trait Visitor {
    type Output;

    fn visit(&mut self, depth: usize) -> Option<Self::Output>;

    fn visit_all(&mut self) -> Vec<Self::Output> {
        let mut all = Vec::new();
        while let Some(each) = self.visit(all.len()) {
            all.push(each);
        }
        all
    }
}

impl<T: Clone + Display> Store<T> {
    pub fn new() -> Self {
        Self { shelves: HashMap::new(), rate: 1.5e-3 }
    }

    pub(crate) const fn limit() -> usize {
        LIMIT << 2 >> 1
    }

    /// Finds one.
    pub fn find<'a>(&'a self, name: &str, places: &[usize]) -> Result<&'a T, String> {
        let Some(shelf) = self.shelves.get(name) else {
            return Err(format!("no shelf {name}"));
        };
        'outer: for (index, place) in places.iter().enumerate() {
            for each in shelf {
                if index % 2 == 0 && *place > 1 {
                    continue 'outer;
                } else if index >= shelf.len() {
                    break 'outer;
                } else {
                    return Ok(each);
                }
            }
        }
        Err("none".to_string())
    }

    pub async fn load(&mut self, path: &str) -> std::io::Result<usize> {
        let text = read(path).await?;
        let count = text.lines().filter(|line| !line.is_empty() && !line.starts_with("#")).count();
        let size: usize = text.trim().parse().map_err(|_| std::io::Error::other("size"))?;
        Ok(if count > size { count } else { size })
    }

    fn merge<F>(&mut self, other: Store<T>, mut decide: F)
    where
        F: FnMut(&T, &T) -> bool,
    {
        for (name, things) in other.shelves {
            match self.shelves.get_mut(&name) {
                Some(mine) if mine.len() > 3 || things.is_empty() => {
                    mine.retain(|each| things.iter().all(|thing| decide(each, thing)));
                }
                Some(mine) => mine.extend(things),
                None => {
                    self.shelves.insert(name, things);
                }
            }
        }
    }
}

impl<T> Visitor for Store<T> {
    type Output = usize;

    fn visit(&mut self, depth: usize) -> Option<usize> {
        if depth > LIMIT { None } else { Some(depth) }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Small => write!(f, "small"),
            Kind::Large { size, .. } => write!(f, "large {}", size),
            Kind::Named(name, 0) | Kind::Named(name, 1) => f.write_str(name),
            Kind::Named(..) => match f.width() {
                Some(width) if width > 3 => f.write_str("wide"),
                _ => f.write_str("named"),
            },
        }
    }
}

fn classify(number: i64, names: &[String]) -> &'static str {
    let kind = match number {
        i64::MIN..=-1 => "negative",
        0 => return "zero",
        1 | 2 | 3 => "few",
        n if n % 2 == 0 => "even",
        _ => "odd",
    };
    if matches!(number, 1..=9 if names.is_empty()) {
        return "digit";
    }
    kind
}

fn search(grid: &[Vec<u8>], wanted: u8) -> Option<(usize, usize)> {
    let mut y = 0;
    let found = 'rows: loop {
        if y >= grid.len() {
            break 'rows None;
        }
        let mut x = 0;
        while x < grid[y].len() && grid[y][x] != wanted {
            x += 1;
        }
        if x < grid[y].len() {
            break Some((x, y));
        }
        y += 1;
    };
    found.or_else(|| None)
}

fn chain(first: Option<u32>, second: Option<u32>, strict: bool) -> u32 {
    if let Some(a) = first && let Some(b) = second && a > b {
        a - b
    } else if let Some(a) = first && strict {
        a
    } else {
        0
    }
}

fn bits(mut a: u32, b: u32) -> u32 {
    a |= b & 0xFF;
    a ^= b % 3;
    a <<= 2;
    a >>= 1;
    a *= 2;
    a /= 2;
    a %= 7;
    let range = &NAMES[..1];
    let other = &NAMES[0..=1];
    let nested = &&a;
    let tuple = (1, 2.0_f32, b"bytes", r"raw");
    unsafe {
        let pointer = &a as *const u32;
        *pointer + **nested + (range.len() + other.len() + tuple.0) as u32
    }
}

pub fn outer(values: &[i32]) -> i32 {
    fn inner(value: i32) -> i32 { if value > 0 { value } else { -value } }
    values.iter().copied().map(inner).fold(0, |sum, each| sum + each)
}

fn dynamic(handler: Box<dyn for<'x> Fn(&'x str) -> bool>, size: Option<Box<dyn Display>>) -> bool {
    assert!(handler("a") && size.is_some(), "must be");
    let all = vec![handler("b"), handler("c") || handler("d")];
    println!("{:?} {}", all, if all[0] { "yes" } else { "no" });
    all.iter().any(|each| *each)
}

macro_rules! square {
    ($x:expr) => {
        $x * $x
    };
}

mod tests {
    use super::*;

    #[test]
    #[ignore]
    fn squares() {
        assert_eq!(square!(3), 9);
    }

    async fn concurrent() -> Result<(), String> {
        let task = async move {
            let value = later().await?;
            if value > 1 { Ok(value) } else { Err(String::new()) }
        };
        task.await.map(|_| ())
    }
}
