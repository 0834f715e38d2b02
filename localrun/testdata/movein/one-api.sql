-- A one-api as far as it matters to those who move, with made-up rows.
CREATE TABLE `options` (`key` text PRIMARY KEY, `value` text);
CREATE TABLE `channels` (`id` integer PRIMARY KEY AUTOINCREMENT, `type` integer DEFAULT 0, `key` text, `status` integer DEFAULT 1, `name` text, `weight` integer DEFAULT 0,
  `created_time` bigint, `test_time` bigint, `response_time` integer, `base_url` text DEFAULT '', `other` text, `balance` real, `balance_updated_time` bigint,
  `models` text, `group` varchar(32) DEFAULT 'default', `used_quota` bigint DEFAULT 0, `model_mapping` varchar(1024) DEFAULT '', `priority` bigint DEFAULT 0, `config` text, `system_prompt` text);
CREATE TABLE `users` (`id` integer PRIMARY KEY AUTOINCREMENT, `username` text UNIQUE, `password` text NOT NULL, `display_name` text, `role` int DEFAULT 1, `status` int DEFAULT 1,
  `email` text, `access_token` char(32), `quota` bigint DEFAULT 0, `used_quota` bigint DEFAULT 0, `request_count` int DEFAULT 0, `group` varchar(32) DEFAULT 'default', `aff_code` varchar(32), `inviter_id` int);
CREATE TABLE `tokens` (`id` integer PRIMARY KEY AUTOINCREMENT, `user_id` integer, `key` char(48) UNIQUE, `status` integer DEFAULT 1, `name` text, `created_time` bigint, `accessed_time` bigint,
  `expired_time` bigint DEFAULT -1, `remain_quota` bigint DEFAULT 0, `unlimited_quota` numeric DEFAULT 0, `used_quota` bigint DEFAULT 0, `models` text, `subnet` text DEFAULT '');

INSERT INTO options VALUES
 ('QuotaPerUnit', '500000'), ('GroupRatio', '{"default":1,"vip":0.5}'),
 ('ModelRatio', '{"gpt-4o":1.25,"deepseek-chat":0.07142857142857142,"text-embedding-3-small":0.01,"llama3(30)":0.5,"gpt-4":15}'),
 ('CompletionRatio', '{"gpt-4o":4,"deepseek-chat":2,"llama3(30)":1.5}');
INSERT INTO channels (id, type, key, status, name, weight, base_url, models, `group`, model_mapping, priority, config) VALUES
 (1, 1, 'sk-first-0000000001' || char(10) || 'sk-second-000000002', 1, 'OpenAI Main', 3, '', 'gpt-4o,text-embedding-3-small,gpt-4', 'default,vip', '', 10, ''),
 (2, 1, 'sk-other-0000000003', 1, 'Proxy', 1, 'http://127.0.0.1:1', 'gpt-4o', 'vip', '{"gpt-4o":"gpt-4o-2024-11-20"}', 5, ''),
 (3, 36, 'sk-deep-00000000004', 2, '深度', 0, '', 'deepseek-chat', 'default', '', 0, ''),
 (4, 33, 'x', 1, 'aws', 0, '', 'claude-3-haiku', 'default', '', 0, '{"region":"us-west-2","ak":"AKIAIOSFODNN7EXAMPLE","sk":"secretsecretsecret"}'),
 (5, 18, 'spark', 1, 'xunfei', 0, '', 'SparkDesk', 'default', '', 0, ''),
 (6, 30, '', 1, 'local', 0, 'http://127.0.0.1:11434', 'llama3', 'default', '', 0, '');
INSERT INTO users (id, username, password, display_name, role, status, email, quota, `group`) VALUES
 (1, 'root', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', 'Root User', 100, 1, '', 1000000, 'default'),
 (2, 'ann', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', 'Ann', 1, 1, 'Ann@Example.com', 750001, 'vip'),
 (3, 'bob', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', 'Bob', 10, 2, 'ann@example.com', -5, 'default'),
 (4, '张三', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', '', 1, 1, 'not an address', 0, 'default'),
 (5, 'gone', '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', '', 1, 3, '', 100, 'default');
INSERT INTO tokens (id, user_id, key, status, name, expired_time, remain_quota, unlimited_quota, models, subnet) VALUES
 (1, 2, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST01', 1, 'laptop', -1, 0, 1, '', ''),
 (2, 2, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST02', 1, 'ci', 4102444800, 250000, 0, 'gpt-4o,gpt-4', '10.0.0.0/8,192.0.2.7'),
 (3, 2, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST03', 2, 'off', -1, 0, 1, '', ''),
 (4, 2, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST04', 1, 'old', 1600000000, 0, 1, '', ''),
 (5, 2, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST05', 1, 'empty', -1, 0, 0, '', ''),
 (6, 2, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST06', 1, 'odd', -1, 0, 1, '', 'anywhere'),
 (7, 5, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST07', 1, 'nobody', -1, 0, 1, '', '');
CREATE TABLE `redemptions` (`id` integer PRIMARY KEY AUTOINCREMENT, `user_id` integer, `key` char(32) UNIQUE, `status` integer DEFAULT 1, `name` text, `quota` bigint DEFAULT 100,
  `created_time` bigint, `redeemed_time` bigint);
INSERT INTO redemptions (user_id, key, status, quota) VALUES (1, 'code-1', 1, 250000), (1, 'code-2', 3, 500000), (1, 'code-3', 1, 500000);
