//! Shelves: a place where each feature keeps what it remembers, found by its type, so that whoever carries the shelves
//! need not know the features.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// One thing of each type, made when it is first asked for.
#[derive(Default)]
pub struct Shelves(RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Shelves {
    /// The one thing of this type.
    pub fn get<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()).cloned();
        let kept = found.unwrap_or_else(|| {
            let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shelves.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())))
        });
        // What lies under a type's own id is of that type.
        kept.downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn everyone_gets_the_same_thing() {
        let shelves = Shelves::default();
        shelves.get::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(shelves.get::<AtomicU32>().load(Ordering::Relaxed), 7);
    }
}
