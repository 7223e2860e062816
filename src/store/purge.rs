//! What goes for good: conversations from the bin, and files that are attached
//! to nothing any more.

use super::{BROKEN, FILE, Files, KEPT_DELETED, Store, StoreError, now};
use crate::chat::attachment;
use rusqlite::Connection;
use std::collections::HashSet;

/// Texts that something may be attached to, each with its conversation's key.
const TEXTS: &str = "SELECT conversation AS key, text FROM messages
    UNION ALL SELECT key, draft FROM conversations";

impl Store {
    /// Removes what is in the bin for good: all of it, or what has been there
    /// for thirty days. What is attached to it goes with it, unless something
    /// else names it. Returns the ids.
    pub fn purge(&mut self, all: bool) -> Result<Vec<String>, StoreError> {
        let before = match all {
            true => i64::MAX,
            false => now() - i64::try_from(KEPT_DELETED.as_millis()).unwrap_or(i64::MAX),
        };
        let mut named = HashSet::new();
        let gone = self.writing(|connection| {
            let mut statement = connection
                .prepare("SELECT key, id FROM conversations WHERE deleted IS NOT NULL AND deleted < ?1")?;
            let gone: Vec<(i64, String)> = statement
                .query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (key, _) in &gone {
                named.extend(named_in(connection, Some(*key))?);
                connection.execute(
                    "DELETE FROM words WHERE rowid IN (SELECT key FROM messages WHERE conversation = ?1)",
                    [key],
                )?;
                connection.execute("DELETE FROM messages WHERE conversation = ?1", [key])?;
                connection.execute("DELETE FROM conversations WHERE key = ?1", [key])?;
            }
            Ok(gone)
        })?;
        if all && !gone.is_empty() {
            // What was removed must not stay in the index or in free pages.
            self.connection
                .execute_batch("INSERT INTO words (words) VALUES ('optimize'); VACUUM;")?;
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        if !gone.is_empty() {
            // What cannot be removed now is swept another time.
            let _ = self.remove_files(&named);
        }
        Ok(gone.into_iter().map(|(_, id)| id).collect())
    }

    /// The digest of everything that is attached to any message or draft, in
    /// the bin too.
    pub fn digests(&self) -> Result<HashSet<String>, StoreError> {
        Ok(named_in(&self.connection, None)?)
    }

    /// Removes files that nothing names and that are an hour old. Returns how
    /// many that were.
    pub fn sweep(&self) -> Result<usize, StoreError> {
        self.remove_files(&HashSet::new())
    }

    /// The same, and of `at_once` also what is younger.
    fn remove_files(&self, at_once: &HashSet<String>) -> Result<usize, StoreError> {
        let io = |source| StoreError::Io {
            path: self.folder.clone(),
            source,
        };
        // What a newer version names is not known, nor what a file names that
        // was set aside.
        if self.newer || self.has_set_aside().map_err(io)? {
            return Ok(0);
        }
        let files = Files::at(&self.folder);
        let keep = self.digests()?;
        for digest in at_once.difference(&keep) {
            files.remove(digest).map_err(io)?;
        }
        files.sweep(&keep).map_err(io)
    }

    fn has_set_aside(&self) -> std::io::Result<bool> {
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            if name
                .to_string_lossy()
                .starts_with(&format!("{FILE}{BROKEN}"))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is attached in one conversation, or in all.
fn named_in(connection: &Connection, key: Option<i64>) -> rusqlite::Result<HashSet<String>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT text FROM ({TEXTS})
         WHERE text LIKE '%](attached:%' AND (?1 IS NULL OR key = ?1)"
    ))?;
    let mut rows = statement.query([key])?;
    let mut named = HashSet::new();
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str()?;
        named.extend(attachment::of(text).into_iter().map(|a| a.digest));
    }
    Ok(named)
}
