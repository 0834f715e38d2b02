-- An original AIGNE Hub as far as it matters to those who move, with made-up rows.
CREATE TABLE AiProviders (id VARCHAR(255) PRIMARY KEY, name VARCHAR(50) NOT NULL UNIQUE, displayName VARCHAR(100) NOT NULL, baseUrl VARCHAR(500), region VARCHAR(50),
  enabled TINYINT(1) NOT NULL DEFAULT 1, config JSON, createdBy VARCHAR(255), createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
CREATE TABLE AiCredentials (id VARCHAR(255) PRIMARY KEY, providerId VARCHAR(255) NOT NULL, name VARCHAR(100) NOT NULL, credentialValue JSON NOT NULL,
  credentialType TEXT NOT NULL DEFAULT 'api_key', active TINYINT(1) NOT NULL DEFAULT 1, lastUsedAt DATETIME, usageCount INTEGER NOT NULL DEFAULT 0,
  error VARCHAR(255), weight INTEGER NOT NULL DEFAULT 100, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
CREATE TABLE AiModelRates (id VARCHAR(255) PRIMARY KEY, providerId VARCHAR(255) NOT NULL, model VARCHAR(100) NOT NULL, modelDisplay VARCHAR(100) NOT NULL,
  description VARCHAR(100), type TEXT NOT NULL, unitCosts JSON, caching JSON, inputRate DECIMAL(20,10) NOT NULL DEFAULT 0, outputRate DECIMAL(20,10) NOT NULL DEFAULT 0,
  modelMetadata JSON, deprecated TINYINT(1) NOT NULL DEFAULT 0, deprecatedAt DATETIME, deprecatedReason VARCHAR(100),
  createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL, UNIQUE (providerId, model, type));
CREATE TABLE ModelCalls (id VARCHAR(255) PRIMARY KEY, providerId VARCHAR(255) NOT NULL, model VARCHAR(255) NOT NULL, credentialId VARCHAR(255) NOT NULL,
  type TEXT NOT NULL DEFAULT 'chatCompletion', totalUsage INTEGER NOT NULL DEFAULT 0, usageMetrics JSON, credits DECIMAL(20,8) NOT NULL DEFAULT 0,
  status TEXT NOT NULL DEFAULT 'processing', duration DECIMAL(10,1), errorReason TEXT, appDid VARCHAR(255), userDid VARCHAR(255), requestId VARCHAR(255), metadata JSON,
  callTime INTEGER NOT NULL, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL, traceId VARCHAR(255), ttfb DECIMAL(10,1), providerTtfb DECIMAL(10,1));
CREATE TABLE Usages (id VARCHAR(255) PRIMARY KEY, promptTokens INTEGER NOT NULL, completionTokens INTEGER NOT NULL, cacheCreationInputTokens INTEGER DEFAULT 0,
  cacheReadInputTokens INTEGER DEFAULT 0, numberOfImageGeneration INTEGER, mediaDuration INTEGER, apiKey VARCHAR(255), model VARCHAR(255), modelParams JSON,
  appId VARCHAR(255), type VARCHAR(255), usedCredits DECIMAL, usageReportStatus VARCHAR(255), userDid VARCHAR(255), createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
CREATE TABLE Apps (id VARCHAR(255) PRIMARY KEY, publicKey TEXT, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);
CREATE TABLE Projects (appDid VARCHAR(255) PRIMARY KEY, appName VARCHAR(255) NOT NULL, appLogo VARCHAR(255), appUrl VARCHAR(255), createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL);

INSERT INTO AiProviders (id, name, displayName, baseUrl, region, enabled, createdAt, updatedAt) VALUES
 ('101', 'openai', 'OpenAI', 'https://api.openai.com/v1', NULL, 1, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('102', 'anthropic', 'Anthropic', 'https://proxy.example/v1', NULL, 1, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('103', 'bedrock', 'Bedrock', NULL, 'eu-west-1', 0, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('104', 'google', 'Gemini', 'https://generativelanguage.googleapis.com/v1beta/', NULL, 1, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00');
INSERT INTO AiCredentials (id, providerId, name, credentialValue, credentialType, active, weight, createdAt, updatedAt) VALUES
 ('201', '101', 'Main Key', '{"api_key":"U2FsdGVkX1/1IMhMviwCRUggqpSqSLp3KpfFv6TUsFT1/1j3K8ayhb3NuZg3L1L+"}', 'api_key', 1, 100, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('202', '102', 'a', '{"api_key":"U2FsdGVkX196/GnAOb4RjycyQyJqOotMTsJ2o5r7id0NemWrj0DJeNlQqbMk25y1"}', 'api_key', 0, 10, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('203', '103', 'aws', '{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"U2FsdGVkX19L+kvCRz95VcXngiOPwM4A/8OqjQTVIISDaFOgpm2tvX/OQhWkiasM"}', 'access_key_pair', 1, 100, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('204', '101', 'odd', '{"token":"x"}', 'custom', 1, 100, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00');
INSERT INTO AiModelRates (id, providerId, model, modelDisplay, type, unitCosts, caching, inputRate, outputRate, deprecated, deprecatedReason, createdAt, updatedAt) VALUES
 ('301', '101', 'gpt-5-mini', 'GPT-5 mini', 'chatCompletion', '{"input":"0.00000025","output":2e-6}', '{"readRate":"0.00000003","writeRate":0}', 0.0000003, 0.0000024, 0, NULL, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('302', '101', 'dall-e-3', 'DALL-E 3', 'imageGeneration', NULL, NULL, 0, 0.048, 0, NULL, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('303', '102', 'claude-haiku-4-5', 'Haiku', 'chatCompletion', '{"input":0.000001,"output":0.000005}', '{"readRate":0.00000012,"writeRate":"0.0000015"}', 0.0000012, 0.000006, 1, 'old', '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('304', '101', 'text-embedding-3-small', 'Embedding', 'embedding', NULL, NULL, 0.0000000247, 0, 0, NULL, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('305', '999', 'lost', 'Lost', 'chatCompletion', NULL, NULL, 1, 1, 0, NULL, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00');
INSERT INTO ModelCalls (id, providerId, model, credentialId, type, totalUsage, usageMetrics, credits, status, duration, errorReason, appDid, userDid, requestId, metadata, callTime, createdAt, updatedAt, ttfb) VALUES
 ('401', '101', 'gpt-5-mini', '201', 'chatCompletion', 1800, '{"inputTokens":1000,"outputTokens":500,"cacheCreationInputTokens":0,"cacheReadInputTokens":300}', 0.00150911, 'success', 2.4, NULL, 'zNKapp', 'z1UserAaaaaaaaaaaaa', 'req-1', '{}', 1767225600, '2026-01-01 00:00:02.400 +00:00', '2026-01-01 00:00:02.400 +00:00', 312.5),
 ('402', '102', 'claude-haiku-4-5', '202', 'chatCompletion', 0, NULL, 0, 'failed', 0.3, 'The provider refused', NULL, 'did:abt:z1UserBbbbbbbbbbbbb', 'req-2', '{}', 1767225700, '2026-01-01 00:01:40.300 +00:00', '2026-01-01 00:01:40.300 +00:00', NULL),
 ('403', '', 'gpt-5-mini', '', 'chatCompletion', 7, '{"inputTokens":3,"outputTokens":4}', 0.1, 'success', 1, NULL, NULL, NULL, 'req-3', '{}', 1767225800, '2026-01-01 00:03:20.000 +00:00', '2026-01-01 00:03:20.000 +00:00', NULL);
INSERT INTO Usages (id, promptTokens, completionTokens, cacheReadInputTokens, model, appId, type, usedCredits, usageReportStatus, userDid, createdAt, updatedAt) VALUES
 ('501', 1000, 500, 300, 'openai/gpt-5-mini', 'zNKapp', 'chatCompletion', 0.0015091, 'reported', 'z1UserAaaaaaaaaaaaa', '2026-01-01 00:00:02.400 +00:00', '2026-01-01 00:00:02.400 +00:00'),
 ('502', 10, 20, 0, 'openai/gpt-5-mini', 'zNKapp', 'chatCompletion', 0.25, NULL, 'z1UserAaaaaaaaaaaaa', '2026-01-01 00:05:02.400 +00:00', '2026-01-01 00:05:02.400 +00:00'),
 ('503', 10, 20, 0, 'openai/gpt-5-mini', 'zNKapp', 'chatCompletion', 0.5, 'counted', 'z1UserAaaaaaaaaaaaa', '2026-01-01 00:06:02.400 +00:00', '2026-01-01 00:06:02.400 +00:00');
INSERT INTO Projects (appDid, appName, appLogo, appUrl, createdAt, updatedAt) VALUES
 ('zNKapp', 'My App', 'not a link', 'https://app.example', '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00'),
 ('zNKnameless', '', NULL, NULL, '2026-01-01 00:00:00.000 +00:00', '2026-01-01 00:00:00.000 +00:00');
