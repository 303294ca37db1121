DROP INDEX comments_of_thread;
CREATE INDEX comments_of_thread ON comments (thread_id, created_at, id);
