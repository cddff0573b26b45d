SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';
CREATE FUNCTION public.fold(text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $_$
  SELECT CASE WHEN octet_length($1) = length($1)
  THEN translate($1, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
  ELSE replace(replace(replace(replace(translate(
    lower(regexp_replace(normalize($1, NFKD), '[̀-ͯ]', '', 'g') COLLATE "pg_c_utf8"),
    'łøđħıŧς', 'lodhitσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th') END
$_$;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.api_token (
    id integer NOT NULL,
    digest character varying(64) NOT NULL,
    user_id integer NOT NULL,
    name character varying(80) NOT NULL,
    role character varying(10) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    CONSTRAINT api_token_has_a_role CHECK (((role)::text = ANY ((ARRAY['viewer'::character varying, 'editor'::character varying, 'owner'::character varying])::text[])))
);
CREATE SEQUENCE public.api_token_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_token_id_seq OWNED BY public.api_token.id;
CREATE TABLE public.change (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    operation character varying(32) NOT NULL,
    by_id integer,
    by_name character varying(200) NOT NULL,
    via character varying(20) NOT NULL,
    resource character varying(200) NOT NULL,
    key character varying NOT NULL,
    title character varying NOT NULL,
    kind character varying(20) NOT NULL,
    is_consequence boolean NOT NULL,
    values_json text NOT NULL,
    group_size integer DEFAULT 1 NOT NULL
);
CREATE SEQUENCE public.change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.change_id_seq OWNED BY public.change.id;
CREATE TABLE public.guesses (
    digest character varying(64) NOT NULL,
    count integer NOT NULL,
    last_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone
);
CREATE TABLE public.hero (
    name character varying(200) NOT NULL,
    secret_name character varying(200) NOT NULL,
    age integer,
    team_id integer,
    id integer NOT NULL,
    CONSTRAINT hero_age_is_possible CHECK (((age >= 0) AND (age <= 150000))),
    CONSTRAINT hero_name_is_not_blank CHECK (((length(TRIM(BOTH FROM name)) >= 1) AND (length(TRIM(BOTH FROM name)) <= 200))),
    CONSTRAINT hero_secret_name_is_not_blank CHECK (((length(TRIM(BOTH FROM secret_name)) >= 1) AND (length(TRIM(BOTH FROM secret_name)) <= 200)))
);
CREATE SEQUENCE public.hero_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.hero_id_seq OWNED BY public.hero.id;
CREATE TABLE public.history_blob (
    digest character varying(64) NOT NULL,
    data bytea NOT NULL
);
CREATE TABLE public.one_time_link (
    digest character varying(64) NOT NULL,
    purpose character varying(20) NOT NULL,
    user_id integer,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.submission (
    digest character varying(64) NOT NULL,
    resource character varying(200) NOT NULL,
    key character varying NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.team (
    name character varying(200) NOT NULL,
    headquarters character varying(200),
    id integer NOT NULL,
    CONSTRAINT team_headquarters_is_short CHECK ((length((headquarters)::text) <= 200)),
    CONSTRAINT team_name_is_not_blank CHECK (((length(TRIM(BOTH FROM name)) >= 1) AND (length(TRIM(BOTH FROM name)) <= 200)))
);
CREATE SEQUENCE public.team_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.team_id_seq OWNED BY public.team.id;
CREATE TABLE public.user_account (
    id integer NOT NULL,
    name character varying(80) NOT NULL,
    folded_name character varying NOT NULL,
    role character varying(10) NOT NULL,
    password_hash character varying(200),
    is_disabled boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone,
    CONSTRAINT user_account_has_a_role CHECK (((role)::text = ANY ((ARRAY['viewer'::character varying, 'editor'::character varying, 'owner'::character varying])::text[])))
);
CREATE SEQUENCE public.user_account_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.user_account_id_seq OWNED BY public.user_account.id;
CREATE TABLE public.user_session (
    digest character varying(64) NOT NULL,
    user_id integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    user_agent character varying(200) NOT NULL,
    address character varying(64) NOT NULL,
    key_check character varying(16)
);
ALTER TABLE ONLY public.api_token ALTER COLUMN id SET DEFAULT nextval('public.api_token_id_seq'::regclass);
ALTER TABLE ONLY public.change ALTER COLUMN id SET DEFAULT nextval('public.change_id_seq'::regclass);
ALTER TABLE ONLY public.hero ALTER COLUMN id SET DEFAULT nextval('public.hero_id_seq'::regclass);
ALTER TABLE ONLY public.team ALTER COLUMN id SET DEFAULT nextval('public.team_id_seq'::regclass);
ALTER TABLE ONLY public.user_account ALTER COLUMN id SET DEFAULT nextval('public.user_account_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0008');
INSERT INTO public.api_token VALUES (1, '3b346a8721eef971d00f9708898897f22cfbcd75ca8329516ceb5a21773fb36a', 1, 'ci', 'editor', '2026-11-28 17:16:21.485345+00', '2027-11-28 17:16:21.485345+00', NULL);
INSERT INTO public.change VALUES (1, '2026-11-28 17:16:20.403943+00', '9bceb0cfddb14fef871d34059c676c5f', 1, 'Olive Owner', 'api', 'teams', '1', 'Preventers', 'created', false, '{"name":[null,"Preventers"],"headquarters":[null,"Sharp Tower"],"id":[null,"1"]}', 1);
INSERT INTO public.change VALUES (2, '2026-11-28 17:16:20.465215+00', '7118f21071fc4590865a6d5a6280f420', 1, 'Olive Owner', 'api', 'teams', '2', 'Wild Pack', 'created', false, '{"name":[null,"Wild Pack"],"headquarters":[null,"Sharp Tower"],"id":[null,"2"]}', 1);
INSERT INTO public.change VALUES (3, '2026-11-28 17:16:20.556049+00', '338095f43d29411aa6d65f9038a07c7f', 1, 'Olive Owner', 'api', 'heroes', '1', 'Deadpond', 'created', false, '{"name":[null,"Deadpond"],"secret_name":[null,"Secret 0"],"age":[null,"20"],"team_id":[null,"1"],"id":[null,"1"]}', 1);
INSERT INTO public.change VALUES (4, '2026-11-28 17:16:20.590741+00', 'e169308d191b4e4d8f02c0e74c2b9249', 1, 'Olive Owner', 'api', 'heroes', '2', 'Spider-Boy', 'created', false, '{"name":[null,"Spider-Boy"],"secret_name":[null,"Secret 1"],"age":[null,"21"],"team_id":[null,"2"],"id":[null,"2"]}', 1);
INSERT INTO public.change VALUES (5, '2026-11-28 17:16:20.618207+00', '50d0d6bd279849d2974501cef950ee15', 1, 'Olive Owner', 'api', 'heroes', '3', 'Rusty-Man', 'created', false, '{"name":[null,"Rusty-Man"],"secret_name":[null,"Secret 2"],"age":[null,"22"],"team_id":[null,"1"],"id":[null,"3"]}', 1);
INSERT INTO public.change VALUES (6, '2026-11-28 17:16:20.644523+00', 'eb80bee8fb1847f3993380a12a930f6a', 1, 'Olive Owner', 'api', 'heroes', '4', 'Café Noir', 'created', false, '{"name":[null,"Café Noir"],"secret_name":[null,"Secret 3"],"age":[null,"23"],"team_id":[null,"2"],"id":[null,"4"]}', 1);
INSERT INTO public.change VALUES (7, '2026-11-28 17:16:20.720993+00', 'a9eee4d6e5aa4eca92e87eeb748021f9', 1, 'Olive Owner', 'api', 'heroes', '1', 'Deadpond', 'changed', false, '{"age":["20","77"]}', 1);
INSERT INTO public.change VALUES (8, '2026-11-28 17:16:20.813236+00', 'bbc51c2d07b447c19ca6629be4def466', 1, 'Olive Owner', 'api', 'heroes', '4', 'Café Noir', 'deleted', false, '{"name":["Café Noir",null],"secret_name":["Secret 3",null],"age":["23",null],"team_id":["2",null],"id":["4",null]}', 1);
INSERT INTO public.change VALUES (9, '2026-11-28 17:16:21.073626+00', '7025e7bca15d467bbc8fa21ecb5b97b0', 1, 'Olive Owner', 'page', 'heroes', '5', 'Typed', 'created', false, '{"name":[null,"Typed"],"secret_name":[null,"Once"],"age":[null,"5"],"team_id":[null,null],"id":[null,"5"]}', 1);
INSERT INTO public.change VALUES (10, '2026-11-28 17:16:21.302817+00', 'a81200bf36b646aea712e840febae9d8', 1, 'Olive Owner', 'page', 'people', '2', 'Bob Builder', 'created', false, '{"name":[null,"Bob Builder"],"role":[null,"editor"]}', 1);
INSERT INTO public.change VALUES (11, '2026-11-28 17:16:21.497974+00', '202712a0de344498abd1c2d38892a210', 1, 'Olive Owner', 'page', 'people', '1', 'Olive Owner', 'changed', false, '{"token":[null,"ci (editor, until 2027-11-28)"]}', 1);
INSERT INTO public.guesses VALUES ('85aa599a307ddea51daf0636fcfa17faff9436d325b12037f528db7cf65df9af', 1, '2026-11-28 17:16:21.509597+00', NULL);
INSERT INTO public.guesses VALUES ('e7420f5c8f58208ea34f889a969485a7cd319819b73fde63a3b853ceff5947f8', 1, '2026-11-28 17:16:21.509597+00', NULL);
INSERT INTO public.hero VALUES ('Spider-Boy', 'Secret 1', 21, 2, 2);
INSERT INTO public.hero VALUES ('Rusty-Man', 'Secret 2', 22, 1, 3);
INSERT INTO public.hero VALUES ('Deadpond', 'Secret 0', 77, 1, 1);
INSERT INTO public.hero VALUES ('Typed', 'Once', 5, NULL, 5);
INSERT INTO public.history_blob VALUES ('0000000000000000000000000000000000000000000000000000000000000000', '\x6279746573');
INSERT INTO public.one_time_link VALUES ('d093581710bcb9a9dbbc81aaff204cbd4169e2b8ff0dcfd3a68216032b4ddaaf', 'invite', 2, '2026-12-05 17:16:21.316676+00');
INSERT INTO public.submission VALUES ('3cde202cc2570bee429f6bfcba3285c0ea5d8bffbcc34bff6da01229a6292390', 'heroes', '5', '2026-11-28 17:16:21.035498+00');
INSERT INTO public.team VALUES ('Preventers', 'Sharp Tower', 1);
INSERT INTO public.team VALUES ('Wild Pack', 'Sharp Tower', 2);
INSERT INTO public.user_account VALUES (2, 'Bob Builder', 'bob builder', 'editor', NULL, false, '2026-11-28 17:16:21.282749+00', NULL);
INSERT INTO public.user_account VALUES (1, 'Olive Owner', 'olive owner', 'owner', '$argon2id$v=19$m=65536,t=3,p=4$58+3GGOcL+X+X+MgjMlyHA$2Vm1CxlxTTc32t71UgNeSQYxABFLnjV8W5+3/DIaXHY', false, '2026-11-28 17:16:20.088853+00', '2026-11-28 17:16:20.103589+00');
INSERT INTO public.user_session VALUES ('b2c5aa3cd5b5a468ea76efd39322b311ed1d85ef3a65448dcfe8b5babbd194a3', 1, '2026-11-28 17:16:20.103589+00', '2026-11-28 17:16:20.103589+00', '2026-12-12 17:16:20.103589+00', 'tests', '127.0.0.1', 'cdca2c55a355a6c8');
SELECT pg_catalog.setval('public.api_token_id_seq', 1, true);
SELECT pg_catalog.setval('public.change_id_seq', 11, true);
SELECT pg_catalog.setval('public.hero_id_seq', 5, true);
SELECT pg_catalog.setval('public.team_id_seq', 2, true);
SELECT pg_catalog.setval('public.user_account_id_seq', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.guesses
    ADD CONSTRAINT guesses_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.hero
    ADD CONSTRAINT hero_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.history_blob
    ADD CONSTRAINT history_blob_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.submission
    ADD CONSTRAINT submission_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.team
    ADD CONSTRAINT team_name_key UNIQUE (name);
ALTER TABLE ONLY public.team
    ADD CONSTRAINT team_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_folded_name_key UNIQUE (folded_name);
ALTER TABLE ONLY public.user_account
    ADD CONSTRAINT user_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_pkey PRIMARY KEY (digest);
CREATE INDEX ix_api_token_user_id ON public.api_token USING btree (user_id);
CREATE INDEX ix_change_at ON public.change USING btree (at);
CREATE INDEX ix_change_by ON public.change USING btree (by_name, id) WHERE (group_size > 0);
CREATE INDEX ix_change_kind ON public.change USING btree (kind, id) WHERE (group_size > 0);
CREATE INDEX ix_change_operation ON public.change USING btree (operation, id);
CREATE INDEX ix_change_record ON public.change USING btree (resource, key, id);
CREATE INDEX ix_change_resource ON public.change USING btree (resource, id) WHERE (group_size > 0);
CREATE INDEX ix_change_told ON public.change USING btree (id) WHERE (group_size > 0);
CREATE INDEX ix_guesses_last_at ON public.guesses USING btree (last_at);
CREATE INDEX ix_one_time_link_user_id ON public.one_time_link USING btree (user_id);
CREATE INDEX ix_submission_created_at ON public.submission USING btree (created_at);
CREATE INDEX ix_user_session_user_id ON public.user_session USING btree (user_id);
CREATE INDEX list_hero_age ON public.hero USING btree (age, id);
CREATE INDEX list_hero_name ON public.hero USING btree ("left"(public.fold((name)::text), 500), id);
CREATE INDEX list_hero_team_id ON public.hero USING btree (team_id, id);
CREATE INDEX list_team_headquarters ON public.team USING btree ("left"(public.fold((headquarters)::text), 500), id);
CREATE INDEX list_team_name ON public.team USING btree ("left"(public.fold((name)::text), 500), id);
CREATE INDEX search_hero ON public.hero USING gin (public.fold((name)::text) public.gin_trgm_ops);
CREATE INDEX search_team ON public.team USING gin (public.fold((name)::text) public.gin_trgm_ops, public.fold((headquarters)::text) public.gin_trgm_ops);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.hero
    ADD CONSTRAINT hero_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.team(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT one_time_link_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.user_session
    ADD CONSTRAINT user_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_account(id) ON DELETE CASCADE;
