DROP TABLE rule_reruns;
DROP TABLE comment_rules;
DROP TABLE site_rules;
