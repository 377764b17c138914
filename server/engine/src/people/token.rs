//! What a bearer token opens.

use super::{Error, People, hash_of};
use crate::store::token;
use model::Actor;

impl People {
    /// Whose token this is.
    pub async fn bearer(&self, bearer: &str) -> Result<Option<Actor>, Error> {
        let hash = hash_of(bearer);
        if let Some(actor) = self.0.tokens.get(&hash) {
            return Ok(Some(actor));
        }
        let mut db = self.0.pool.acquire().await?;
        let Some(actor) = token::actor(&mut db, &hash).await? else { return Ok(None) };
        token::touch(&mut db, &hash, self.0.clock.now()).await?;
        self.0.tokens.put(hash, actor.clone());
        Ok(Some(actor))
    }
}
