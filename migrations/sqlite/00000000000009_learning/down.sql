ALTER TABLE comments DROP COLUMN purged_at;
DROP TABLE training_teachers;
DROP TABLE training_counts;
DROP TABLE training_heads;
DROP TABLE training;
