//! Pickle's stack machine, building an arena of inert nodes.
//!
//! Every instruction makes at most one node or moves references that were paid for with at least one byte of payload, so
//! memory is bounded by the payload's length and [`Limits::nodes`]. Nothing recurses, nothing is looked up or called.

use super::cursor::Cursor;
use super::memo::Memo;
use super::node::{Id, Node};
use super::opcode as op;
use super::{Limits, PickleError};

/// Bytes of payload for each value, roughly, where there are many values.
const USUAL_SIZE: usize = 8;

/// The machine's state while a payload is read.
pub(super) struct Machine<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) limits: Limits,
    arena: Vec<Node<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at which a MARK lies; instructions may not reach below the last one.
    marks: Vec<usize>,
    memo: Memo,
    /// Offset of the instruction being run, for errors.
    at: usize,
}

/// The arena and the value on top when STOP was reached.
pub(super) struct Finished<'a> {
    pub(super) arena: Vec<Node<'a>>,
    pub(super) root: Id,
}

pub(super) type Step = Result<(), PickleError>;

impl<'a> Machine<'a> {
    pub(super) fn new(payload: &'a [u8], limits: &Limits) -> Self {
        Self {
            cursor: Cursor::new(payload),
            limits: limits.clone(),
            arena: Vec::with_capacity((payload.len() / USUAL_SIZE).min(limits.nodes)),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::new(payload.len()),
            at: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<Finished<'a>, PickleError> {
        loop {
            self.at = self.cursor.at();
            match self.cursor.u8()? {
                op::STOP => return self.finish(),
                code => self.step(code)?,
            }
        }
    }

    fn finish(mut self) -> Result<Finished<'a>, PickleError> {
        let root = self.pop()?;
        if !self.stack.is_empty() || !self.marks.is_empty() {
            return Err(self.malformed("values are left over at its end"));
        }
        if self.cursor.remaining() > 0 {
            return Err(self.malformed("bytes follow its end"));
        }
        Ok(Finished {
            arena: self.arena,
            root,
        })
    }

    fn step(&mut self, code: u8) -> Step {
        match code {
            op::PROTO => self.protocol(),
            op::FRAME => self.frame(),
            op::MARK => self.mark(),
            op::POP => self.discard(),
            op::POP_MARK => self.above_mark().map(drop),
            op::DUP => self.top().map(|id| self.stack.push(id)),
            op::NONE | op::NEWTRUE | op::NEWFALSE => self.constant(code),
            op::PUT | op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.store(code),
            op::GET | op::BINGET | op::LONG_BINGET => self.recall(code),
            op::INT | op::LONG | op::FLOAT => self.number_line(code),
            op::BININT | op::BININT1 | op::BININT2 | op::LONG1 | op::LONG4 | op::BINFLOAT => {
                self.number(code)
            }
            op::STRING | op::BINSTRING | op::SHORT_BINSTRING | op::UNICODE => self.old_text(code),
            op::BINUNICODE | op::SHORT_BINUNICODE | op::BINUNICODE8 => self.text(code),
            op::BINBYTES | op::SHORT_BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => self.bytes(code),
            op::EMPTY_TUPLE | op::TUPLE | op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.tuple(code),
            op::EMPTY_LIST | op::LIST | op::EMPTY_SET | op::FROZENSET => self.sequence(code),
            op::EMPTY_DICT | op::DICT => self.dict(code),
            op::APPEND | op::APPENDS | op::ADDITEMS => self.append(code),
            op::SETITEM | op::SETITEMS => self.set_items(code),
            op::GLOBAL | op::STACK_GLOBAL => self.global(code),
            op::REDUCE | op::NEWOBJ | op::NEWOBJ_EX | op::INST | op::OBJ => self.object(code),
            op::BUILD => self.build(),
            _ => Err(self.unwelcome(code)),
        }
    }

    // ---- bookkeeping

    fn protocol(&mut self) -> Step {
        match self.cursor.u8()? {
            0..=op::NEWEST_PROTOCOL => Ok(()),
            _ => Err(self.malformed("its protocol is newer than 5")),
        }
    }

    /// Frames only help readers that read ahead; the length is checked and otherwise of no interest.
    fn frame(&mut self) -> Step {
        let length = self.cursor.u64()?;
        if length > self.cursor.remaining() as u64 {
            return Err(self.malformed("a frame is longer than the payload"));
        }
        Ok(())
    }

    fn mark(&mut self) -> Step {
        if self.marks.len() >= self.limits.nodes {
            return Err(self.too_many_nodes());
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn discard(&mut self) -> Step {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn store(&mut self, code: u8) -> Step {
        let key = match code {
            op::PUT => self.index_line()?,
            op::BINPUT => u64::from(self.cursor.u8()?),
            op::LONG_BINPUT => u64::from(self.cursor.u32()?),
            _ => self.memo.len() as u64,
        };
        let id = self.top()?;
        if self.memo.len() >= self.limits.nodes {
            return Err(self.too_many_nodes());
        }
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, code: u8) -> Step {
        let key = match code {
            op::GET => self.index_line()?,
            op::BINGET => u64::from(self.cursor.u8()?),
            _ => u64::from(self.cursor.u32()?),
        };
        let id = self.memo.get(key);
        let id = id.ok_or_else(|| self.malformed("it refers to a value that was never stored"))?;
        self.stack.push(id);
        Ok(())
    }

    // ---- the stack and the arena

    pub(super) fn alloc(&mut self, node: Node<'a>) -> Result<Id, PickleError> {
        if self.arena.len() >= self.limits.nodes {
            return Err(self.too_many_nodes());
        }
        let id = Id::of(self.arena.len()).ok_or_else(|| self.too_many_nodes())?;
        self.arena.push(node);
        Ok(id)
    }

    pub(super) fn push(&mut self, node: Node<'a>) -> Step {
        let id = self.alloc(node)?;
        self.stack.push(id);
        Ok(())
    }

    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn pop(&mut self) -> Result<Id, PickleError> {
        if self.stack.len() <= self.floor() {
            return Err(self.malformed("it uses more values than there are"));
        }
        self.stack
            .pop()
            .ok_or_else(|| self.malformed("it uses more values than there are"))
    }

    pub(super) fn top(&self) -> Result<Id, PickleError> {
        let reachable = self.stack.get(self.floor()..).unwrap_or_default();
        reachable
            .last()
            .copied()
            .ok_or_else(|| self.malformed("it uses a value where there is none"))
    }

    pub(super) fn last(&mut self, count: usize) -> Result<Vec<Id>, PickleError> {
        let start = self
            .stack
            .len()
            .checked_sub(count)
            .filter(|&start| start >= self.floor());
        let start = start.ok_or_else(|| self.malformed("it uses more values than there are"))?;
        Ok(self.stack.split_off(start))
    }

    pub(super) fn above_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| self.malformed("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn node(&self, id: Id) -> Option<&Node<'a>> {
        self.arena.get(id.place())
    }

    pub(super) fn node_mut(&mut self, id: Id) -> Option<&mut Node<'a>> {
        self.arena.get_mut(id.place())
    }

    fn index_line(&mut self) -> Result<u64, PickleError> {
        let line = self.cursor.line()?;
        let number = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.parse().ok());
        number.ok_or_else(|| self.malformed("a memo index is no number"))
    }

    // ---- refusals

    pub(super) fn too_many_nodes(&self) -> PickleError {
        PickleError::Limit {
            what: "values",
            limit: self.limits.nodes,
        }
    }

    pub(super) fn malformed(&self, what: &'static str) -> PickleError {
        PickleError::Malformed { what, at: self.at }
    }

    fn unwelcome(&self, code: u8) -> PickleError {
        let what = match code {
            op::PERSID | op::BINPERSID => "a persistent id",
            op::EXT1 | op::EXT2 | op::EXT4 => "the extension registry",
            op::NEXT_BUFFER | op::READONLY_BUFFER => "an out-of-band buffer",
            _ => return PickleError::UnknownOpcode { code, at: self.at },
        };
        PickleError::Refused { what, at: self.at }
    }
}
