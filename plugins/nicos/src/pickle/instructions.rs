//! The instructions that make values; what they share, and memo and marks, is in [`machine`](super::machine).

use std::borrow::Cow;

use super::machine::{Machine, Step};
use super::node::{Id, Node, Object};
use super::opcode as op;
use super::{PickleError, number, text};

impl<'a> Machine<'a> {
    pub(super) fn constant(&mut self, code: u8) -> Step {
        self.push(match code {
            op::NEWTRUE => Node::Bool(true),
            op::NEWFALSE => Node::Bool(false),
            _ => Node::None,
        })
    }

    pub(super) fn number(&mut self, code: u8) -> Step {
        let node = match code {
            op::BINFLOAT => Node::Float(self.cursor.f64()?),
            op::BININT => Node::Int(i64::from(self.cursor.i32()?)),
            op::BININT1 => Node::Int(i64::from(self.cursor.u8()?)),
            op::BININT2 => Node::Int(i64::from(self.cursor.u16()?)),
            op::LONG1 => {
                let length = u64::from(self.cursor.u8()?);
                self.big(length)?
            }
            _ => {
                let length = u64::from(self.cursor.u32()?);
                self.big(length)?
            }
        };
        self.push(node)
    }

    fn big(&mut self, length: u64) -> Result<Node<'a>, PickleError> {
        self.check_int(length)?;
        let bytes = self.cursor.sized(length)?;
        Ok(number::to_i64(bytes).map_or(Node::BigInt(bytes), Node::Int))
    }

    pub(super) fn number_line(&mut self, code: u8) -> Step {
        let line = self.cursor.line()?;
        let node = match (code, line) {
            (op::INT, b"00") => Some(Node::Bool(false)),
            (op::INT, b"01") => Some(Node::Bool(true)),
            (op::FLOAT, _) => number::parse_float(line).map(Node::Float),
            _ => {
                // 2.41 decimal digits a byte, rounded up, and a sign.
                self.check_int((line.len() as u64).saturating_sub(1) * 10 / 25)?;
                let digits = line.strip_suffix(b"L").unwrap_or(line);
                number::check_digits(digits)
                    .map(|small| small.map_or(Node::Digits(digits), Node::Int))
            }
        };
        self.push(node.ok_or_else(|| self.malformed("a number is not one"))?)
    }

    pub(super) fn text(&mut self, code: u8) -> Step {
        let length = match code {
            op::SHORT_BINUNICODE => u64::from(self.cursor.u8()?),
            op::BINUNICODE => u64::from(self.cursor.u32()?),
            _ => self.cursor.u64()?,
        };
        let bytes = self.cursor.sized(length)?;
        self.push(Node::Text(Cow::Borrowed(bytes)))
    }

    pub(super) fn old_text(&mut self, code: u8) -> Step {
        let node = match code {
            op::UNICODE => text::raw_unicode_escape(self.cursor.line()?).map(Node::Text),
            op::STRING => {
                text::unquote(self.cursor.line()?).map(|text| Node::OldText(Cow::Owned(text)))
            }
            _ => {
                let length = match code {
                    op::SHORT_BINSTRING => u64::from(self.cursor.u8()?),
                    _ => u64::from(self.cursor.u32()?),
                };
                Some(Node::OldText(Cow::Borrowed(self.cursor.sized(length)?)))
            }
        };
        self.push(node.ok_or_else(|| self.malformed("a text is not escaped as it should be"))?)
    }

    pub(super) fn bytes(&mut self, code: u8) -> Step {
        let length = match code {
            op::SHORT_BINBYTES => u64::from(self.cursor.u8()?),
            op::BINBYTES => u64::from(self.cursor.u32()?),
            _ => self.cursor.u64()?,
        };
        let bytes = self.cursor.sized(length)?;
        self.push(Node::Bytes(bytes))
    }

    // ---- containers

    pub(super) fn tuple(&mut self, code: u8) -> Step {
        let items = match code {
            op::EMPTY_TUPLE => Vec::new(),
            op::TUPLE1 => self.last(1)?,
            op::TUPLE2 => self.last(2)?,
            op::TUPLE3 => self.last(3)?,
            _ => self.above_mark()?,
        };
        self.push(Node::Tuple(items))
    }

    pub(super) fn sequence(&mut self, code: u8) -> Step {
        let node = match code {
            op::EMPTY_LIST => Node::List(Vec::new()),
            op::EMPTY_SET => Node::Set(Vec::new()),
            op::LIST => Node::List(self.above_mark()?),
            _ => Node::Set(self.above_mark()?),
        };
        self.push(node)
    }

    pub(super) fn dict(&mut self, code: u8) -> Step {
        let entries = match code {
            op::DICT => self.pairs_above_mark()?,
            _ => Vec::new(),
        };
        self.push(Node::Dict(entries))
    }

    pub(super) fn append(&mut self, code: u8) -> Step {
        let added = match code {
            op::APPEND => self.last(1)?,
            _ => self.above_mark()?,
        };
        let target = self.top()?;
        match self.node_mut(target) {
            Some(Node::List(items) | Node::Set(items)) => add(items, added),
            Some(Node::Object(object)) => add(&mut object.items, added),
            _ => return Err(self.malformed("it appends to a value that is no list")),
        }
        Ok(())
    }

    pub(super) fn set_items(&mut self, code: u8) -> Step {
        let added = match code {
            op::SETITEM => pairs(&self.last(2)?),
            _ => self.pairs_above_mark()?,
        };
        let target = self.top()?;
        match self.node_mut(target) {
            Some(Node::Dict(entries)) => add(entries, added),
            Some(Node::Object(object)) => add(&mut object.entries, added),
            _ => return Err(self.malformed("it sets items of a value that is no dict")),
        }
        Ok(())
    }

    fn pairs_above_mark(&mut self) -> Result<Vec<(Id, Id)>, PickleError> {
        let flat = self.above_mark()?;
        if flat.len() % 2 == 1 {
            return Err(self.malformed("a dict has a key without a value"));
        }
        Ok(pairs(&flat))
    }

    // ---- classes and instances, which stay names and records

    pub(super) fn global(&mut self, code: u8) -> Step {
        let (module, name) = match code {
            op::GLOBAL => self.global_lines()?,
            _ => {
                let name = self.pop()?;
                (self.pop()?, name)
            }
        };
        let is_name = |id: Id| match self.node(id) {
            Some(Node::Text(text) | Node::OldText(text)) => text.len() <= self.limits.name_bytes,
            _ => false,
        };
        if !is_name(module) || !is_name(name) {
            return Err(self.malformed("a class is not named by a short text"));
        }
        self.push(Node::Global { module, name })
    }

    fn global_lines(&mut self) -> Result<(Id, Id), PickleError> {
        let module = self.cursor.line()?;
        let name = self.cursor.line()?;
        if module.len().max(name.len()) > self.limits.name_bytes {
            return Err(self.malformed("a class is not named by a short text"));
        }
        let module = self.alloc(Node::Text(Cow::Borrowed(module)))?;
        let name = self.alloc(Node::Text(Cow::Borrowed(name)))?;
        Ok((module, name))
    }

    pub(super) fn object(&mut self, code: u8) -> Step {
        let object = match code {
            op::INST => self.old_instance()?,
            op::OBJ => {
                let mut parts = self.above_mark()?;
                if parts.is_empty() {
                    return Err(self.malformed("an instance has no class"));
                }
                let class = parts.remove(0);
                Object::new(class, self.alloc(Node::Tuple(parts))?)
            }
            _ => {
                let kwargs = if code == op::NEWOBJ_EX {
                    Some(self.pop()?)
                } else {
                    None
                };
                let args = self.pop()?;
                let mut object = Object::new(self.pop()?, args);
                object.kwargs = kwargs;
                object
            }
        };
        if !matches!(
            self.node(object.callee),
            Some(Node::Global { .. } | Node::Object(_))
        ) {
            return Err(self.malformed("it calls something that is no class or function"));
        }
        if !matches!(self.node(object.args), Some(Node::Tuple(_))) {
            return Err(self.malformed("the arguments of a call are no tuple"));
        }
        self.push(Node::Object(Box::new(object)))
    }

    fn old_instance(&mut self) -> Result<Object, PickleError> {
        let (module, name) = self.global_lines()?;
        let args = self.above_mark()?;
        let class = self.alloc(Node::Global { module, name })?;
        Ok(Object::new(class, self.alloc(Node::Tuple(args))?))
    }

    pub(super) fn build(&mut self) -> Step {
        let state = self.pop()?;
        let target = self.top()?;
        match self.node_mut(target) {
            Some(Node::Object(object)) => object.state = Some(state),
            _ => return Err(self.malformed("it sets the state of a value that has none")),
        }
        Ok(())
    }

    fn check_int(&self, bytes: u64) -> Step {
        match bytes > self.limits.int_bytes as u64 {
            true => Err(PickleError::Limit {
                what: "bytes in one integer",
                limit: self.limits.int_bytes,
            }),
            false => Ok(()),
        }
    }
}

/// Appends, without copying where there is nothing to append to: most containers are filled at once.
fn add<T>(target: &mut Vec<T>, mut added: Vec<T>) {
    match target.is_empty() {
        true => *target = added,
        false => target.append(&mut added),
    }
}

fn pairs(flat: &[Id]) -> Vec<(Id, Id)> {
    flat.chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
}
