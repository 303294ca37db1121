//! The words that the queue's filters and orders take, for its description: a program that is made from the description
//! then knows them. What reads them is `review/filter.rs` and `parse_sort`.

use utoipa::ToSchema;

/// The words of the filter `status`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)] // Described here; `Filter` reads them.
pub(super) enum StatusWord {
    Any,
    Pending,
    Approved,
    Rejected,
    Spam,
    Trash,
    Withdrawn,
    Erased,
}

/// The words of the filter `reported`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub(super) enum ReportedWord {
    Yes,
    No,
}

/// The words of the filter `claimed`: by nobody else, by anybody, by oneself.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub(super) enum ClaimedWord {
    No,
    Yes,
    Me,
}

/// The orders of the queue.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub(super) enum QueueSortWord {
    Oldest,
    Newest,
    Risk,
}
