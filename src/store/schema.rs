// @generated automatically by Diesel CLI.

diesel::table! {
    api_keys (id) {
        id -> BigInt,
        moderator_id -> BigInt,
        name -> Text,
        hash -> Binary,
        scopes -> Text,
        sites -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    articles (id) {
        id -> BigInt,
        site_id -> BigInt,
        key -> Text,
        title -> Text,
        url -> Text,
        summary -> Nullable<Text>,
        policy -> Nullable<Text>,
        comments_open -> Bool,
        comments_close_at -> Nullable<BigInt>,
        published -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> BigInt,
        at -> BigInt,
        actor_id -> Nullable<BigInt>,
        api_key_id -> Nullable<BigInt>,
        action -> Text,
        site_id -> Nullable<BigInt>,
        subject_kind -> Nullable<Text>,
        subject_id -> Nullable<BigInt>,
        facts -> Text,
        private -> Nullable<Text>,
        salt -> Nullable<Binary>,
        private_hash -> Nullable<Binary>,
        seq -> Nullable<BigInt>,
        hash -> Nullable<Binary>,
    }
}

diesel::table! {
    bans (id) {
        id -> BigInt,
        site_id -> Nullable<BigInt>,
        kind -> Text,
        value -> Text,
        low -> Text,
        high -> Text,
        reason -> Text,
        moderator_id -> BigInt,
        sweep_id -> Nullable<BigInt>,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    claims (comment_id) {
        comment_id -> BigInt,
        moderator_id -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    comment_counts (site_id, status) {
        site_id -> BigInt,
        status -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    comment_lookup (comment_id) {
        comment_id -> BigInt,
        site_id -> BigInt,
        status -> Text,
        name -> Text,
        email -> Nullable<Text>,
        address -> Nullable<Text>,
        reason -> Nullable<Text>,
        words_of -> Nullable<BigInt>,
    }
}

diesel::table! {
    comment_proofs (comment_id) {
        comment_id -> BigInt,
        email_id -> BigInt,
        proven_at -> BigInt,
    }
}

diesel::table! {
    comment_rules (rule, comment_id) {
        rule -> Text,
        comment_id -> BigInt,
    }
}

diesel::table! {
    comment_sketches (comment_id) {
        comment_id -> BigInt,
        site_id -> BigInt,
        campaign -> BigInt,
        seq -> BigInt,
        sketch -> Binary,
        is_spam -> Nullable<Bool>,
    }
}

diesel::table! {
    comments (id) {
        id -> BigInt,
        site_id -> BigInt,
        article_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        ancestors -> Text,
        thread_id -> BigInt,
        thread_at -> BigInt,
        status -> Text,
        version -> BigInt,
        name -> Text,
        email -> Nullable<Text>,
        url -> Nullable<Text>,
        text -> Text,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        html -> Text,
        size_bytes -> BigInt,
        moderator_id -> Nullable<BigInt>,
        duplicate_hash -> Nullable<BigInt>,
        created_at -> BigInt,
        received_at -> BigInt,
        edited_at -> Nullable<BigInt>,
        shown_parent_id -> Nullable<BigInt>,
        shown_depth -> Integer,
        shown_replies -> BigInt,
        shown_below -> BigInt,
        held_because -> Text,
        risk -> Double,
        screening -> Nullable<Text>,
        reports -> BigInt,
        is_indexed -> Bool,
        purged_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    decision_batch_results (batch_id, number) {
        batch_id -> BigInt,
        number -> BigInt,
        results -> Text,
    }
}

diesel::table! {
    decision_batches (id) {
        id -> BigInt,
        moderator_id -> BigInt,
        to_status -> Nullable<Text>,
        reason -> Nullable<Text>,
        note -> Nullable<Text>,
        message -> Nullable<Text>,
        undoes -> Nullable<BigInt>,
        items -> Binary,
        total -> BigInt,
        done -> BigInt,
        created_at -> BigInt,
        needs -> Nullable<Text>,
        api_key_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    decisions (id) {
        id -> BigInt,
        comment_id -> BigInt,
        moderator_id -> Nullable<BigInt>,
        from_status -> Nullable<Text>,
        to_status -> Text,
        reason -> Nullable<Text>,
        note -> Nullable<Text>,
        message -> Nullable<Text>,
        decided_at -> BigInt,
        version -> BigInt,
        batch_id -> Nullable<BigInt>,
        undoes -> Nullable<BigInt>,
    }
}

diesel::table! {
    id_blocks (name) {
        name -> Text,
        next -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (key_hash) {
        key_hash -> Binary,
        request_hash -> Binary,
        made_id -> BigInt,
        status -> SmallInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    job_marks (name) {
        name -> Text,
        mark -> BigInt,
    }
}

diesel::table! {
    moderator_sites (moderator_id, site_id) {
        moderator_id -> BigInt,
        site_id -> BigInt,
    }
}

diesel::table! {
    moderators (id) {
        id -> BigInt,
        username -> Text,
        username_folded -> Text,
        display_name -> Text,
        lookalike_a -> Text,
        lookalike_b -> Text,
        role -> Text,
        password_hash -> Text,
        is_disabled -> Bool,
        created_at -> BigInt,
        removed_at -> Nullable<BigInt>,
        totp_secret -> Nullable<Binary>,
        totp_confirmed_at -> Nullable<BigInt>,
        totp_last_step -> Nullable<BigInt>,
    }
}

diesel::table! {
    notes (id) {
        id -> BigInt,
        comment_id -> BigInt,
        moderator_id -> BigInt,
        text -> Text,
        written_at -> BigInt,
    }
}

diesel::table! {
    outbox (id) {
        id -> BigInt,
        kind -> Text,
        payload -> Text,
        recipient -> Nullable<Text>,
        caused_by -> Nullable<BigInt>,
        once -> Binary,
        state -> Text,
        attempts -> BigInt,
        next_at -> BigInt,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    outside_reports (comment_id) {
        comment_id -> BigInt,
        site_id -> BigInt,
        is_spam -> Bool,
        tries -> BigInt,
        due_at -> BigInt,
    }
}

diesel::table! {
    password_resets (hash) {
        hash -> Binary,
        moderator_id -> BigInt,
        created_by -> Nullable<BigInt>,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    recovery_codes (hash) {
        hash -> Binary,
        moderator_id -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Binary,
        session_id -> BigInt,
        created_at -> BigInt,
        rotated_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    remembered_browsers (browser, email_id) {
        browser -> Binary,
        email_id -> BigInt,
        bound_at -> BigInt,
    }
}

diesel::table! {
    reports (id) {
        id -> BigInt,
        comment_id -> BigInt,
        reporter -> BigInt,
        reason -> Text,
        text -> Nullable<Text>,
        reported_at -> BigInt,
        answered_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    revisions (id) {
        id -> BigInt,
        comment_id -> BigInt,
        version -> BigInt,
        moderator_id -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        text -> Text,
        name -> Text,
        url -> Nullable<Text>,
        edited_at -> BigInt,
    }
}

diesel::table! {
    rule_reruns (id) {
        id -> BigInt,
        site_id -> BigInt,
        moderator_id -> BigInt,
        mark_at -> BigInt,
        mark_id -> BigInt,
        total -> BigInt,
        done -> BigInt,
        published -> BigInt,
        spam -> BigInt,
        created_at -> BigInt,
        finished_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    second_opinions (comment_id) {
        comment_id -> BigInt,
        version -> BigInt,
        moderator_id -> BigInt,
        to_status -> Text,
        reason -> Text,
        asked_at -> BigInt,
    }
}

diesel::table! {
    secrets (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        moderator_id -> BigInt,
        created_at -> BigInt,
        last_used_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        sealed -> Binary,
        is_sealed -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    site_rules (site_id) {
        site_id -> BigInt,
        rules -> Text,
        version -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    sites (id) {
        id -> BigInt,
        key -> Text,
        name -> Text,
        language -> Text,
        origins -> Text,
        settings -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    spent_challenges (nonce) {
        nonce -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    training (id) {
        id -> BigInt,
        site_id -> BigInt,
        comment_id -> BigInt,
        moderator_id -> BigInt,
        label -> SmallInt,
        state -> SmallInt,
        seq -> Nullable<BigInt>,
        evidence -> Nullable<Double>,
        agrees -> Nullable<Bool>,
        stands_for -> Integer,
        features -> Nullable<Binary>,
    }
}

diesel::table! {
    training_counts (site_id, bucket) {
        site_id -> BigInt,
        bucket -> BigInt,
        good -> BigInt,
        spam -> BigInt,
    }
}

diesel::table! {
    training_heads (site_id) {
        site_id -> BigInt,
        seq -> BigInt,
        takebacks -> BigInt,
        good -> BigInt,
        spam -> BigInt,
    }
}

diesel::table! {
    training_teachers (site_id, moderator_id) {
        site_id -> BigInt,
        moderator_id -> BigInt,
        contradicted -> BigInt,
        decisions -> BigInt,
    }
}

diesel::table! {
    trials (name) {
        name -> Text,
        filler -> Binary,
    }
}

diesel::table! {
    verified_emails (id) {
        id -> BigInt,
        site_id -> BigInt,
        email -> Text,
        verified_at -> BigInt,
    }
}

diesel::joinable!(api_keys -> moderators (moderator_id));
diesel::joinable!(articles -> sites (site_id));
diesel::joinable!(comments -> articles (article_id));
diesel::joinable!(decision_batch_results -> decision_batches (batch_id));
diesel::joinable!(decisions -> comments (comment_id));
diesel::joinable!(moderator_sites -> moderators (moderator_id));
diesel::joinable!(moderator_sites -> sites (site_id));
diesel::joinable!(password_resets -> moderators (moderator_id));
diesel::joinable!(recovery_codes -> moderators (moderator_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(sessions -> moderators (moderator_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    articles,
    audit_entries,
    bans,
    claims,
    comment_counts,
    comment_lookup,
    comment_proofs,
    comment_rules,
    comment_sketches,
    comments,
    decision_batch_results,
    decision_batches,
    decisions,
    id_blocks,
    idempotency_keys,
    job_marks,
    moderator_sites,
    moderators,
    notes,
    outbox,
    outside_reports,
    password_resets,
    recovery_codes,
    refresh_tokens,
    remembered_browsers,
    reports,
    revisions,
    rule_reruns,
    second_opinions,
    secrets,
    sessions,
    signing_keys,
    site_rules,
    sites,
    spent_challenges,
    training,
    training_counts,
    training_heads,
    training_teachers,
    trials,
    verified_emails,
);
