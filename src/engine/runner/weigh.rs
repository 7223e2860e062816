//! Counts what attachments cost, before they are sent.

use super::senses::Told;
use super::session::Session;
use crate::chat::attachment::{self, Attachment};
use crate::protocol::engine::{Event, MediaFile, RequestId};

impl Session<'_> {
    /// Tells the tokens of each attachment of a text.
    pub fn weigh(&mut self, id: RequestId, text: &str, files: &[MediaFile]) {
        self.senses.request.set(id);
        let attached = attachment::of(text);
        let tokens = attached.iter().map(|a| self.weight(a, files));
        let tokens = tokens.collect();
        self.outbox.send(&Event::Weighed(id, tokens));
    }

    fn weight(&mut self, attachment: &Attachment, files: &[MediaFile]) -> Result<u32, String> {
        let mut told = Told::default();
        let room = self.context.n_ctx() as usize;
        let text = self
            .senses
            .attached(attachment, files, room, &mut told, true)?;
        let (prompts, senses) = (&self.prompts, &mut self.senses);
        let mut look = |piece: &str, at: usize| Some(senses.tokens(told.item(piece)?, at));
        let tokens = prompts.of_text(&text, &mut look)?;
        Ok(u32::try_from(tokens.len()).unwrap_or(u32::MAX))
    }
}
