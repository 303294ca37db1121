DROP TABLE outside_reports;
DROP TABLE comment_sketches;
