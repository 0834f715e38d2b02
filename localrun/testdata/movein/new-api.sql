-- A new-api as far as it matters to those who move, with made-up rows.
CREATE TABLE `options` (`key` text PRIMARY KEY, `value` text);
CREATE TABLE `channels` (`id` integer PRIMARY KEY AUTOINCREMENT, `type` integer DEFAULT 0, `key` text NOT NULL, `open_ai_organization` text, `test_model` text, `status` integer DEFAULT 1,
  `name` text, `weight` integer DEFAULT 0, `created_time` bigint, `test_time` bigint, `response_time` integer, `base_url` text DEFAULT '', `other` text, `balance` real,
  `models` text, `group` varchar(64) DEFAULT 'default', `used_quota` bigint DEFAULT 0, `model_mapping` text, `status_code_mapping` varchar(1024) DEFAULT '', `priority` bigint DEFAULT 0,
  `auto_ban` integer DEFAULT 1, `other_info` text, `tag` text, `setting` text, `param_override` text, `header_override` text, `channel_info` json, `settings` text);
CREATE TABLE `users` (`id` integer PRIMARY KEY AUTOINCREMENT, `username` text UNIQUE, `password` text NOT NULL, `display_name` text, `role` int DEFAULT 1, `status` int DEFAULT 1,
  `email` text, `access_token` char(32), `quota` int DEFAULT 0, `used_quota` int DEFAULT 0, `request_count` int DEFAULT 0, `group` varchar(64) DEFAULT 'default', `deleted_at` datetime);
CREATE TABLE `tokens` (`id` integer PRIMARY KEY AUTOINCREMENT, `user_id` integer, `key` varchar(128) UNIQUE, `status` integer DEFAULT 1, `name` text, `created_time` bigint, `accessed_time` bigint,
  `expired_time` bigint DEFAULT -1, `remain_quota` integer DEFAULT 0, `unlimited_quota` numeric, `model_limits_enabled` numeric, `model_limits` text, `allow_ips` text DEFAULT '',
  `used_quota` integer DEFAULT 0, `group` text DEFAULT '', `deleted_at` datetime);

INSERT INTO options VALUES
 ('ModelRatio', '{"claude-sonnet-4-5":1.5}'), ('CompletionRatio', '{"claude-sonnet-4-5":5}'), ('CacheRatio', '{"claude-sonnet-4-5":0.1}'),
 ('CreateCacheRatio', '{"claude-sonnet-4-5":1.25}'), ('ModelPrice', '{"gpt-image-1":0.04,"special":0.01}'), ('billing_setting.billing_mode', '{"tiered":"tiered_expr"}'), ('GroupRatio', '{"default":1,"vip":0.8}');
INSERT INTO channels (id, type, key, status, name, weight, base_url, models, `group`, model_mapping, priority, param_override, channel_info) VALUES
 (1, 14, 'sk-ant-1-000000000' || char(10) || 'sk-ant-2-000000000', 1, 'Claude', 0, '', 'claude-sonnet-4-5,sonnet', 'default', '{"sonnet":"latest","latest":"claude-sonnet-4-5"}', 0, '{"temperature":0}',
  '{"is_multi_key":true,"multi_key_size":2,"multi_key_status_list":{"1":3}}'),
 (2, 43, 'sk-deep-00000000004', 1, 'deepseek', 0, '', 'deepseek-chat', 'default', NULL, 0, NULL, '{}'),
 (3, 42, 'mistral-key-0000001', 1, 'mistral', 0, 'https://api.mistral.ai', 'special,tiered', 'default', '', 0, '', '{}'),
 (4, 1, 'sk-openai-000000001', 1, 'openai', 0, 'https://api.openai.com', 'gpt-image-1', 'default', '', 0, '', '{}'),
 (5, 50, 'kling', 1, 'kling', 0, '', 'kling-v1', 'default', '', 0, '', '{}');
INSERT INTO users (id, username, password, display_name, role, status, email, quota, `group`, deleted_at) VALUES
 (1, 'ann', 'x', 'Ann', 1, 1, 'ann@example.com', 333333, 'default', NULL),
 (2, 'dan', 'x', 'Dan', 1, 1, 'dan@example.com', 9, 'default', '2026-01-01 00:00:00');
INSERT INTO tokens (id, user_id, key, status, name, expired_time, remain_quota, unlimited_quota, model_limits_enabled, model_limits, allow_ips, `group`, deleted_at) VALUES
 (1, 1, 'NEWAPIabcdefghijklmnopqrstuvwxyz0123456789ABCDEF', 1, 'laptop', -1, 100000, 0, 1, 'sonnet,claude-sonnet-4-5', '192.0.2.0/24' || char(10) || '2001:db8::1', 'vip', NULL),
 (2, 1, 'NEWAPIdeleted-klmnopqrstuvwxyz0123456789ABCDEF01', 1, 'deleted', -1, 0, 1, 0, '', '', '', '2026-01-01 00:00:00');
