//! The address of a database as libpq reads it: an URL, or keywords with values. It may hold a password, which nobody is shown.

use std::{
    ffi::{CStr, CString, c_char},
    process::Command,
    ptr,
};

/// What an address says.
pub struct Address(Vec<Setting>);

/// One parameter of a connection.
struct Setting {
    keyword: String,
    /// The environment variable that says the same.
    variable: Option<String>,
    value: String,
    is_secret: bool,
}

/// What is wrong with an address, without its words: they may be parts of a password.
const UNREADABLE: &str = "libpq cannot read it: it must be postgresql://user:password@host:port/database or keyword=value …; \
    in an URL, characters of a password such as @ : / ? # % are written as %40 %3A %2F %3F %23 %25";

/// Fails where an address cannot be read, or holds what was meant to be a password in another place.
pub fn check(address: &str) -> Result<(), &'static str> {
    let address = Address::read(address)?;
    let is_well = |setting: &Setting| match setting.keyword.as_str() {
        "port" => setting
            .value
            .split(',')
            .all(|port| port.is_empty() || port.parse::<u16>().is_ok()),
        "host" => !setting.value.contains('@'),
        _ => true,
    };
    if address.0.iter().all(is_well) {
        Ok(())
    } else {
        Err(UNREADABLE)
    }
}

impl Address {
    /// Reads one.
    #[expect(unsafe_code, reason = "libpq's own reading, which diesel has no words for")]
    pub fn read(address: &str) -> Result<Self, &'static str> {
        let address = CString::new(address).map_err(|_zero| UNREADABLE)?;
        // SAFETY: libpq reads a text that ends with a zero, keeps nothing of it, and needs no place for its words.
        let options = unsafe { pq_sys::PQconninfoParse(address.as_ptr(), ptr::null_mut()) };
        if options.is_null() {
            return Err(UNREADABLE);
        }
        let mut settings = Vec::new();
        let mut next = options;
        loop {
            // SAFETY: what it gave is an array that ends with an option without a keyword.
            let option = unsafe { &*next };
            let Some(keyword) = text(option.keyword) else { break };
            if let Some(value) = text(option.val) {
                settings.push(Setting {
                    keyword,
                    variable: text(option.envvar),
                    value,
                    is_secret: text(option.dispchar).as_deref() == Some("*"),
                });
            }
            // SAFETY: this one was not the last.
            next = unsafe { next.add(1) };
        }
        // SAFETY: nothing of it was kept.
        unsafe { pq_sys::PQconninfoFree(options) };
        Ok(Self(settings))
    }

    /// Tells a program of PostgreSQL's: by its environment, which its own account and root may read; its arguments anybody may.
    pub fn tell(&self, command: &mut Command) -> Result<(), String> {
        let mut others = Vec::new();
        for setting in &self.0 {
            match &setting.variable {
                Some(variable) => {
                    command.env(variable, &setting.value);
                }
                None if setting.is_secret => {
                    let keyword = &setting.keyword;
                    return Err(format!(
                        "{keyword} of DATABASE_URL would be seen by everybody on this machine: have it in a service file (PGSERVICEFILE)"
                    ));
                }
                None => {
                    let value = setting.value.replace('\\', "\\\\").replace('\'', "\\'");
                    others.push(format!("{}='{value}'", setting.keyword));
                }
            }
        }
        if !others.is_empty() {
            command.arg("--dbname").arg(others.join(" "));
        }
        Ok(())
    }
}

/// A text of libpq's, if there is one.
#[expect(unsafe_code, reason = "libpq gives texts as C does")]
fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: libpq's texts end with a zero, and are there until they are freed.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn told(address: &str) -> (Vec<String>, Vec<(String, String)>) {
        let mut command = Command::new("pg_dump");
        Address::read(address).unwrap().tell(&mut command).unwrap();
        let words = |it: &std::ffi::OsStr| it.to_string_lossy().into_owned();
        let environment = command
            .get_envs()
            .filter_map(|(name, value)| Some((words(name), words(value?))));
        (command.get_args().map(words).collect(), environment.collect())
    }

    #[test]
    fn a_program_is_told_everything_and_nobody_sees_the_password() {
        for address in [
            "postgresql://me:p%40s%20s@db1,db2:5433/policies?target_session_attrs=read-write&keepalives=0",
            "host=db1,db2 port=',5433' user=me password='p@s s' dbname=policies target_session_attrs=read-write keepalives=0",
        ] {
            let (arguments, environment) = told(address);
            assert_eq!(arguments, ["--dbname", "keepalives='0'"], "{address}");
            for (name, value) in [
                ("PGHOST", "db1,db2"),
                ("PGPORT", ",5433"),
                ("PGUSER", "me"),
                ("PGPASSWORD", "p@s s"),
                ("PGDATABASE", "policies"),
                ("PGTARGETSESSIONATTRS", "read-write"),
            ] {
                let said = environment
                    .iter()
                    .find(|(said, _)| said == name)
                    .map(|(_, value)| value.as_str());
                assert_eq!(said, Some(value), "{name} of {address}");
            }
        }
        assert_eq!(told("postgresql:///policies").0, [""; 0]);
    }

    #[test]
    fn what_cannot_be_an_address_is_refused_without_its_words() {
        for address in [
            "",
            "postgresql://me@/policies?host=%2Ftmp%2Fsocket&port=5432",
            "postgresql://me:pa%2Fss@db/policies",
            "postgresql://me:secret@[::1]:5432,db2/policies",
            "dbname=policies",
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
        for address in [
            "postgresql://me:sec/ret@db/policies",
            "postgresql://me:sec@ret@db/policies",
            "postgresql://me:sec%ret@db/policies",
            "postgres//me:secret@db/policies",
            "host=db password=sec ret",
        ] {
            let refused = check(address).unwrap_err();
            assert!(!refused.contains("sec") && !refused.contains("ret"), "{address}");
        }
    }
}
