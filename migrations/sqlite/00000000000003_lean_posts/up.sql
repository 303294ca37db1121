-- Threads are read, and replies hung, among the published alone; a comment that waits need not be in this index.
DROP INDEX comments_of_thread;
CREATE INDEX comments_of_thread ON comments (thread_id, created_at, id) WHERE status = 'approved';
