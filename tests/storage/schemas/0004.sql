BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	scope_kind TEXT NOT NULL, 
	scope_id BIGINT NOT NULL, 
	guild_id BIGINT, 
	"key" TEXT NOT NULL, 
	old TEXT, 
	new TEXT, 
	changed_by_id BIGINT NOT NULL, 
	changed_by_name TEXT NOT NULL, 
	changed_at DATETIME NOT NULL
);
INSERT INTO "changes" VALUES(1,'server',1200000000000000001,1200000000000000001,'persona:Pirate',NULL,'You are a pirate.',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "changes" VALUES(2,'server',1200000000000000001,1200000000000000001,'persona:Pirate','You are a pirate.','You are a pirate''s parrot.',1200000000000000005,'Bernd''s 🦙','2026-01-02 03:04:05.678901');
INSERT INTO "changes" VALUES(3,'me',1200000000000000004,NULL,'quiet',NULL,'on',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "changes" VALUES(4,'channel',1200000000000000002,1200000000000000001,'persona',NULL,'Pirate',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "changes" VALUES(5,'channel',1200000000000000002,1200000000000000001,'temperature',NULL,'0.5',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "changes" VALUES(6,'server',1200000000000000001,1200000000000000001,'model',NULL,'llama3.2:1b',1200000000000000005,'Bernd''s 🦙','2026-01-02 03:04:05.678901');
INSERT INTO "changes" VALUES(7,'channel',1200000000000000002,1200000000000000001,'temperature','0.5',NULL,1200000000000000005,'Bernd''s 🦙','2026-01-02 03:04:05.678901');
CREATE TABLE conversations (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	channel_id BIGINT, 
	guild_id BIGINT, 
	parent_id BIGINT, 
	owner_id BIGINT, 
	head_id INTEGER, 
	window_start_id INTEGER, 
	created_at DATETIME NOT NULL
);
INSERT INTO "conversations" VALUES(1,1200000000000000003,1200000000000000001,1200000000000000002,NULL,6,5,'2026-01-02 03:04:05.678901');
CREATE TABLE discord_messages (
	discord_id BIGINT NOT NULL, 
	message_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_discord_messages PRIMARY KEY (discord_id), 
	CONSTRAINT fk_discord_messages_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO "discord_messages" VALUES(1300000000000000002,2,0);
INSERT INTO "discord_messages" VALUES(1300000000000000004,4,0);
INSERT INTO "discord_messages" VALUES(1300000000000000006,6,0);
CREATE TABLE images (
	message_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_images PRIMARY KEY (message_id, position), 
	CONSTRAINT fk_images_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	conversation_id INTEGER NOT NULL, 
	parent_id INTEGER, 
	role TEXT NOT NULL, 
	author_id BIGINT, 
	author_name TEXT, 
	content TEXT NOT NULL, 
	end_reason TEXT NOT NULL, 
	tokens INTEGER, 
	tokenizer TEXT, 
	created_at DATETIME NOT NULL, copied_from INTEGER, 
	CONSTRAINT fk_messages_conversation_id_conversations FOREIGN KEY(conversation_id) REFERENCES conversations (id), 
	CONSTRAINT fk_messages_parent_id_messages FOREIGN KEY(parent_id) REFERENCES messages (id)
);
INSERT INTO "messages" VALUES(1,1,NULL,'user',1200000000000000004,'Anna Größe','Ahoy?','complete',15,'llama3.2:1b','2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(2,1,1,'assistant',NULL,NULL,'Ahoy!','complete',5,'llama3.2:1b','2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(3,1,2,'user',1200000000000000004,'Anna Größe','Rum?','complete',15,'llama3.2:1b','2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(4,1,3,'assistant',NULL,NULL,'','failed',5,'llama3.2:1b','2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(5,1,2,'user',1200000000000000004,'Anna Größe','Where''s the gold?
```py
x = ''--''
```','complete',15,'llama3.2:1b','2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(6,1,5,'assistant',NULL,NULL,'In the…','stopped',5,'llama3.2:1b','2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(7,1,6,'user',1200000000000000005,'Bernd''s 🦙','Still there?','complete',NULL,NULL,'2026-01-02 03:04:05.678901',NULL);
INSERT INTO "messages" VALUES(8,1,7,'assistant',NULL,NULL,'','running',NULL,NULL,'2026-01-02 03:04:05.678901',NULL);
CREATE TABLE open_answers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	channel_id BIGINT NOT NULL, 
	guild_id BIGINT, 
	parent_id BIGINT, 
	opened_at DATETIME NOT NULL, 
	"key" TEXT, 
	discord_id BIGINT, 
	answer_id INTEGER, 
	asked_in BIGINT, 
	interaction_id BIGINT, 
	author_id BIGINT, 
	author_name TEXT, 
	header TEXT NOT NULL, 
	question TEXT, 
	persona TEXT, 
	may_be_asked BOOLEAN NOT NULL
);
CREATE TABLE people (
	person_id BIGINT NOT NULL, 
	told_at DATETIME, 
	opted_out_at DATETIME, 
	leaving_at DATETIME, 
	CONSTRAINT pk_people PRIMARY KEY (person_id)
);
CREATE TABLE persona_versions (
	persona_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	prompt TEXT NOT NULL, 
	author_id BIGINT NOT NULL, 
	author_name TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_persona_versions PRIMARY KEY (persona_id, version), 
	CONSTRAINT fk_persona_versions_persona_id_personas FOREIGN KEY(persona_id) REFERENCES personas (id) ON DELETE CASCADE
);
INSERT INTO "persona_versions" VALUES(1,1,'You are a pirate.',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "persona_versions" VALUES(1,2,'You are a pirate''s parrot.',1200000000000000005,'Bernd''s 🦙','2026-01-02 03:04:05.678901');
CREATE TABLE personas (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	guild_id BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	name_key TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT uq_personas_guild_id_name_key UNIQUE (guild_id, name_key)
);
INSERT INTO "personas" VALUES(1,1200000000000000001,'Pirate','pirate',2);
CREATE TABLE receipts (
	answer_id INTEGER NOT NULL, 
	model TEXT NOT NULL, 
	digest TEXT, 
	persona TEXT NOT NULL, 
	persona_version INTEGER NOT NULL, 
	options JSON NOT NULL, 
	prompt_tokens INTEGER, 
	answer_tokens INTEGER, 
	prompt_estimate INTEGER, 
	load_seconds FLOAT, 
	first_text_seconds FLOAT, 
	total_seconds FLOAT, waited_seconds FLOAT, writing_seconds FLOAT, sources JSON DEFAULT '{}' NOT NULL, keep_alive TEXT, think JSON, prompt_digest TEXT, window_start INTEGER, remembered INTEGER, thought_seconds FLOAT, 
	CONSTRAINT pk_receipts PRIMARY KEY (answer_id), 
	CONSTRAINT fk_receipts_answer_id_messages FOREIGN KEY(answer_id) REFERENCES messages (id) ON DELETE CASCADE
);
INSERT INTO "receipts" VALUES(2,'llama3.2:1b','sha256:abc','Pirate',2,'{"seed": 7, "temperature": 0.5, "stop": ["\n\n"]}',20,5,22,0.5,0.75,1.5,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "receipts" VALUES(4,'llama3.2:1b','sha256:abc','Pirate',2,'{"seed": 7, "temperature": 0.5, "stop": ["\n\n"]}',20,5,22,0.5,0.75,1.5,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "receipts" VALUES(6,'llama3.2:1b','sha256:abc','Pirate',2,'{"seed": 7, "temperature": 0.5, "stop": ["\n\n"]}',20,5,22,0.5,0.75,1.5,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE settings (
	scope_kind TEXT NOT NULL, 
	scope_id BIGINT NOT NULL, 
	"key" TEXT NOT NULL, 
	guild_id BIGINT, 
	value TEXT NOT NULL, 
	changed_by_id BIGINT NOT NULL, 
	changed_by_name TEXT NOT NULL, 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_settings PRIMARY KEY (scope_kind, scope_id, "key")
);
INSERT INTO "settings" VALUES('me',1200000000000000004,'quiet',NULL,'on',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "settings" VALUES('channel',1200000000000000002,'persona',1200000000000000001,'Pirate',1200000000000000004,'Anna Größe','2026-01-02 03:04:05.678901');
INSERT INTO "settings" VALUES('server',1200000000000000001,'model',1200000000000000001,'llama3.2:1b',1200000000000000005,'Bernd''s 🦙','2026-01-02 03:04:05.678901');
CREATE TABLE state (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_state PRIMARY KEY ("key")
);
INSERT INTO "state" VALUES('commands','digest');
CREATE TABLE thoughts (
	answer_id INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	kept_at DATETIME NOT NULL, 
	CONSTRAINT pk_thoughts PRIMARY KEY (answer_id), 
	CONSTRAINT fk_thoughts_answer_id_messages FOREIGN KEY(answer_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE TABLE usage (
	person_id BIGINT NOT NULL, 
	day DATE NOT NULL, 
	tokens BIGINT NOT NULL, 
	CONSTRAINT pk_usage PRIMARY KEY (person_id, day)
);
CREATE INDEX ix_settings_guild_id_key ON settings (guild_id, "key");
CREATE INDEX ix_changes_scope_kind_scope_id_id ON changes (scope_kind, scope_id, id);
CREATE INDEX ix_messages_conversation_id_id ON messages (conversation_id, id);
CREATE INDEX ix_messages_parent_id ON messages (parent_id);
CREATE INDEX ix_messages_author_id ON messages (author_id);
CREATE INDEX ix_messages_running ON messages (id) WHERE end_reason = 'running';
CREATE INDEX ix_receipts_model_answer_id ON receipts (model, answer_id);
CREATE INDEX ix_discord_messages_message_id_position ON discord_messages (message_id, position);
CREATE UNIQUE INDEX ix_conversations_channel_id_owner_id ON conversations (channel_id, owner_id);
CREATE UNIQUE INDEX ix_conversations_everybodys ON conversations (channel_id) WHERE owner_id IS NULL;
CREATE INDEX ix_conversations_owner_id ON conversations (owner_id);
CREATE INDEX ix_thoughts_kept_at ON thoughts (kept_at);
CREATE INDEX ix_messages_copied_from ON messages (copied_from);
CREATE INDEX ix_usage_day ON usage (day);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('personas',1);
INSERT INTO "sqlite_sequence" VALUES('changes',7);
INSERT INTO "sqlite_sequence" VALUES('conversations',1);
INSERT INTO "sqlite_sequence" VALUES('messages',8);
COMMIT;
