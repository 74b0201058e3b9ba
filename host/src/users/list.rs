//! The list itself, as text and as what the text says.

use super::password::{check_hash, fits};
use patchbay_abi::Secret;
use patchbay_sdk::Role;

/// No name is longer, in bytes.
const LONGEST_NAME: usize = 64;

/// The beginning of a new file.
const HEAD: &str = "# Who may log in, written by `patchbay user`: name:role:hash\n";

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// As it is sent at the login.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What is kept of their password.
    hash: String,
}

/// Everybody who may log in, and the remarks between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    User(User),
    Remark(String),
}

impl Default for Users {
    fn default() -> Self {
        let remark = HEAD.trim_end().to_owned();
        Users {
            lines: vec![Line::Remark(remark)],
        }
    }
}

impl Users {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first line that is wrong, and why; never what stands in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut users = Users { lines: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let line = read_line(line).map_err(|why| format!("line {number}: {why}"))?;
            if let Line::User(user) = &line
                && users.get(&user.name).is_some()
            {
                let name = &user.name;
                return Err(format!("line {number}: `{name}` is there twice"));
            }
            users.lines.push(line);
        }
        Ok(users)
    }

    /// As it is written to a file.
    pub fn text(&self) -> String {
        let line = |line: &Line| match line {
            Line::Remark(remark) => format!("{remark}\n"),
            Line::User(User { name, role, hash }) => format!("{name}:{role}:{hash}\n"),
        };
        self.lines.iter().map(line).collect()
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.lines.iter().filter_map(|line| match line {
            Line::User(user) => Some(user),
            Line::Remark(_) => None,
        })
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&User> {
        self.iter().find(|user| user.name == name)
    }

    /// The one of that name, if that is their password. It takes as long if there is no such user.
    pub fn check(&self, name: &str, password: &Secret) -> Option<&User> {
        let known = self.get(name);
        let hash = known.or_else(|| self.iter().next());
        let fits = hash.is_some_and(|user| fits(&user.hash, password));
        known.filter(|_| fits)
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// If the name cannot be one, or is there.
    pub fn add(&mut self, name: &str, role: Role, hash: String) -> Result<(), String> {
        check_name(name)?;
        if self.get(name).is_some() {
            return Err(format!(
                "there is a user `{name}` already; `patchbay user passwd` gives a new password, `patchbay user role` \
                 another role"
            ));
        }
        let name = name.to_owned();
        self.lines.push(Line::User(User { name, role, hash }));
        Ok(())
    }

    /// Changes what may be done by the user of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn set_role(&mut self, name: &str, role: Role) -> Result<(), String> {
        self.get_mut(name).map(|user| user.role = role)
    }

    /// Changes the password of the user of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn set_hash(&mut self, name: &str, hash: String) -> Result<(), String> {
        self.get_mut(name).map(|user| user.hash = hash)
    }

    /// Removes the user of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn remove(&mut self, name: &str) -> Result<(), String> {
        self.get_mut(name)?;
        self.lines
            .retain(|line| !matches!(line, Line::User(user) if user.name == name));
        Ok(())
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut User, String> {
        let found = self.lines.iter_mut().find_map(|line| match line {
            Line::User(user) if user.name == name => Some(user),
            _ => None,
        });
        found.ok_or_else(|| {
            format!("there is no user `{name}`; `patchbay user list` shows those that there are")
        })
    }
}

fn read_line(line: &str) -> Result<Line, String> {
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(Line::Remark(line.to_owned()));
    }
    let mut parts = line.splitn(3, ':');
    let (Some(name), Some(role), Some(hash)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it is not name:role:hash".to_owned());
    };
    check_name(name)?;
    let role = Role::from_name(role)
        .ok_or_else(|| format!("the role of `{name}` is none: view, user, expert or admin"))?;
    check_hash(hash).map_err(|why| format!("`{name}` has {why}"))?;
    Ok(Line::User(User {
        name: name.to_owned(),
        role,
        hash: hash.to_owned(),
    }))
}

fn check_name(name: &str) -> Result<(), String> {
    let bad = |c: char| c == ':' || c.is_control();
    let good = (1..=LONGEST_NAME).contains(&name.len())
        && !name.contains(bad)
        && !name.starts_with('#')
        && name.trim() == name;
    match good {
        true => Ok(()),
        // Not the name itself: it may be a line of something else.
        false => Err(format!(
            "that cannot be a user's name: 1 to {LONGEST_NAME} bytes, no `:`, no control characters, no blanks at its \
             ends, no `#` at its beginning"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::password::hash;
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read_remarks_included() {
        let mut users = Users::default();
        users
            .add("anna", Role::User, hash("12345678").unwrap())
            .unwrap();
        users
            .add("otto b.", Role::View, hash("abcdefgh").unwrap())
            .unwrap();
        let text = users.text() + "\n# the night shift\n";
        let again = Users::parse(&text).unwrap();
        assert_eq!(again.text(), text);
        assert_eq!(again.get("otto b.").unwrap().role, Role::View);
    }

    #[test]
    fn only_the_right_password_of_the_right_user_lets_in() {
        let mut users = Users::default();
        assert!(users.check("anna", &Secret::new("12345678")).is_none());
        users
            .add("anna", Role::User, hash("12345678").unwrap())
            .unwrap();
        users
            .add("otto", Role::Admin, hash("abcdefgh").unwrap())
            .unwrap();
        let check = |name, password| users.check(name, &Secret::new(password)).map(|u| u.role);
        assert_eq!(check("otto", "abcdefgh"), Some(Role::Admin));
        assert_eq!(check("otto", "12345678"), None);
        assert_eq!(
            check("nobody", "12345678"),
            None,
            "the first one's password"
        );
        assert_eq!(check("anna", ""), None);
    }

    #[test]
    fn a_wrong_line_is_named_and_not_quoted() {
        let kept = hash("12345678").unwrap();
        let wrong = |text: &str| Users::parse(text).unwrap_err();
        assert_eq!(
            wrong("# x\nanna:geheim"),
            "line 2: it is not name:role:hash"
        );
        assert!(wrong(&format!("anna:boss:{kept}")).starts_with("line 1: the role of `anna`"));
        assert!(!wrong("anna:user:geheim").contains("geheim"));
        let twice = format!("anna:user:{kept}\nanna:view:{kept}\n");
        assert_eq!(wrong(&twice), "line 2: `anna` is there twice");
    }

    #[test]
    fn names_that_would_break_the_file_are_refused() {
        for name in ["", "a:b", "a\nb", " a", "#a", &"x".repeat(65)] {
            let added = Users::default().add(name, Role::View, String::new());
            assert!(added.unwrap_err().contains("cannot be"), "{name:?}");
        }
    }
}
