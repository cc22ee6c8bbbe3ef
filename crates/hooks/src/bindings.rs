//! What a viewer function may read beside its event and its store.

use crate::given;
use rimward_config::{KeySetPlace, ViewerFunction};
use rimward_isolate::{Bindings, Location};
use rimward_jwks::{KeySet, Keys};
use std::sync::Arc;

/// Environment and secrets of `spec`, on a node at `location`.
///
/// # Errors
/// What is wrong with a secret.
pub(crate) fn read(spec: &ViewerFunction, location: &rimward_config::Location) -> Result<Bindings, String> {
    Ok(Bindings {
        location: Location { name: location.name.as_str().into(), region: location.region.as_str().into() },
        environment: spec.environment.clone(),
        secrets: given::secrets(&spec.secrets)?.into_iter().collect(),
        keys: None,
    })
}

/// The same for a run outside of a node: a key set from a file is there, one from a URL is not loaded.
///
/// # Errors
/// What is wrong with a secret or with the key set.
pub fn outside(spec: &ViewerFunction) -> Result<Bindings, String> {
    let mut bindings = read(spec, &rimward_config::Location::default())?;
    if let Some(source) = &spec.jwks {
        let keys = Keys::new();
        if let KeySetPlace::File(file) = &source.place {
            let wrong = |why: String| format!("its key set {} cannot be used: {why}", source.place);
            let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
            keys.replace(KeySet::parse(&text).map_err(|error| wrong(error.to_string()))?);
        }
        bindings.keys = Some(Arc::new(keys));
    }
    Ok(bindings)
}
