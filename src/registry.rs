//! The list of operations and presets, and what it says of itself as JSON.

use crate::core::error::{unknown_name, Result};
use crate::core::operation::Operation;
use crate::ops::OPERATIONS;
use crate::stack;
use serde_json::json;

/// All operations.
pub fn operations() -> &'static [&'static Operation] {
    OPERATIONS
}

/// Finds an operation by id or alias.
pub fn find(name: &str) -> Result<&'static Operation> {
    let found = OPERATIONS.iter().find(|operation| operation.is_called(name));
    found.copied().ok_or_else(|| unknown_name("operation", name, OPERATIONS.iter().map(|o| o.id)))
}

/// Description of every operation and of what is done with stacks of rasters; `"schema"` changes only by adding keys.
pub fn describe() -> serde_json::Value {
    let operations: Vec<_> = OPERATIONS.iter().map(|operation| operation.describe()).collect();
    json!({"schema": 1, "version": env!("CARGO_PKG_VERSION"), "operations": operations, "stack": stack::describe()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_and_aliases_are_unique() {
        let mut seen = HashSet::new();
        for operation in operations() {
            assert!(seen.insert(operation.id), "{}", operation.id);
            for alias in operation.aliases {
                assert!(seen.insert(alias), "{alias}");
            }
        }
    }

    #[test]
    fn aliases_lead_to_the_operation() {
        assert_eq!(find("svf").unwrap().id, "sky_view_factor");
        assert_eq!(find("dme").unwrap().id, "local_relief");
        assert!(find("sfv").unwrap_err().to_string().contains("unknown operation 'sfv'; allowed: slope"));
    }
}
