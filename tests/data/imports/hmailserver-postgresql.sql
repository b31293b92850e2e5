--
-- PostgreSQL database dump
--

\restrict fqIimhQ4WDJE7o9vL9bgEzIU3yl8BoVc0gQbEo1LeEvB2Gl0NQ0w2u8ZChATuDK

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: hm_accounts; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_accounts (
    accountid integer NOT NULL,
    accountdomainid integer NOT NULL,
    accountadminlevel integer NOT NULL,
    accountaddress character varying(255) NOT NULL,
    accountpassword character varying(255) NOT NULL,
    accountactive integer NOT NULL,
    accountisad integer NOT NULL,
    accountaddomain character varying(255) NOT NULL,
    accountadusername character varying(255) NOT NULL,
    accountmaxsize integer NOT NULL,
    accountvacationmessageon integer NOT NULL,
    accountvacationmessage text NOT NULL,
    accountvacationsubject character varying(200) NOT NULL,
    accountpwencryption integer NOT NULL,
    accountforwardenabled integer NOT NULL,
    accountforwardaddress character varying(255) NOT NULL,
    accountforwardkeeporiginal integer NOT NULL,
    accountenablesignature integer NOT NULL,
    accountsignatureplaintext text NOT NULL,
    accountsignaturehtml text NOT NULL,
    accountpersonfirstname character varying(60) NOT NULL,
    accountpersonlastname character varying(60) NOT NULL
);


ALTER TABLE public.hm_accounts OWNER TO postgres;

--
-- Name: hm_accounts_accountid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_accounts_accountid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_accounts_accountid_seq OWNER TO postgres;

--
-- Name: hm_accounts_accountid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_accounts_accountid_seq OWNED BY public.hm_accounts.accountid;


--
-- Name: hm_aliases; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_aliases (
    aliasid integer NOT NULL,
    aliasdomainid integer NOT NULL,
    aliasname character varying(255) NOT NULL,
    aliasvalue character varying(255) NOT NULL,
    aliasactive integer NOT NULL
);


ALTER TABLE public.hm_aliases OWNER TO postgres;

--
-- Name: hm_aliases_aliasid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_aliases_aliasid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_aliases_aliasid_seq OWNER TO postgres;

--
-- Name: hm_aliases_aliasid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_aliases_aliasid_seq OWNED BY public.hm_aliases.aliasid;


--
-- Name: hm_distributionlists; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_distributionlists (
    distributionlistid integer NOT NULL,
    distributionlistdomainid integer NOT NULL,
    distributionlistaddress character varying(255) NOT NULL,
    distributionlistenabled integer NOT NULL,
    distributionlistrequireauth integer NOT NULL,
    distributionlistrequireaddress character varying(255) NOT NULL,
    distributionlistmode integer NOT NULL
);


ALTER TABLE public.hm_distributionlists OWNER TO postgres;

--
-- Name: hm_distributionlists_distributionlistid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_distributionlists_distributionlistid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_distributionlists_distributionlistid_seq OWNER TO postgres;

--
-- Name: hm_distributionlists_distributionlistid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_distributionlists_distributionlistid_seq OWNED BY public.hm_distributionlists.distributionlistid;


--
-- Name: hm_distributionlistsrecipients; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_distributionlistsrecipients (
    distributionlistrecipientid integer NOT NULL,
    distributionlistrecipientlistid integer NOT NULL,
    distributionlistrecipientaddress character varying(255) NOT NULL
);


ALTER TABLE public.hm_distributionlistsrecipients OWNER TO postgres;

--
-- Name: hm_distributionlistsrecipients_distributionlistrecipientid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_distributionlistsrecipients_distributionlistrecipientid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_distributionlistsrecipients_distributionlistrecipientid_seq OWNER TO postgres;

--
-- Name: hm_distributionlistsrecipients_distributionlistrecipientid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_distributionlistsrecipients_distributionlistrecipientid_seq OWNED BY public.hm_distributionlistsrecipients.distributionlistrecipientid;


--
-- Name: hm_dnsbl; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_dnsbl (
    sblid integer NOT NULL,
    sblactive integer NOT NULL,
    sbldnshost character varying(255) NOT NULL
);


ALTER TABLE public.hm_dnsbl OWNER TO postgres;

--
-- Name: hm_dnsbl_sblid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_dnsbl_sblid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_dnsbl_sblid_seq OWNER TO postgres;

--
-- Name: hm_dnsbl_sblid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_dnsbl_sblid_seq OWNED BY public.hm_dnsbl.sblid;


--
-- Name: hm_domain_aliases; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_domain_aliases (
    daid integer NOT NULL,
    dadomainid integer NOT NULL,
    daalias character varying(255) NOT NULL
);


ALTER TABLE public.hm_domain_aliases OWNER TO postgres;

--
-- Name: hm_domain_aliases_daid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_domain_aliases_daid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_domain_aliases_daid_seq OWNER TO postgres;

--
-- Name: hm_domain_aliases_daid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_domain_aliases_daid_seq OWNED BY public.hm_domain_aliases.daid;


--
-- Name: hm_domains; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_domains (
    domainid integer NOT NULL,
    domainname character varying(80) NOT NULL,
    domainactive integer NOT NULL,
    domainpostmaster character varying(80) NOT NULL,
    domainmaxsize integer NOT NULL,
    domainaddomain character varying(255) NOT NULL,
    domainmaxmessagesize integer NOT NULL,
    domainuseplusaddressing integer NOT NULL,
    domainplusaddressingchar character varying(1) NOT NULL,
    domainantispamoptions integer NOT NULL,
    domainenablesignature integer NOT NULL,
    domainsignaturemethod integer NOT NULL,
    domainsignatureplaintext text NOT NULL,
    domainsignaturehtml text NOT NULL,
    domainaddsignaturestoreplies integer NOT NULL,
    domainaddsignaturestolocalemail integer NOT NULL,
    domainmaxnoofaccounts integer NOT NULL,
    domainmaxnoofaliases integer NOT NULL,
    domainmaxnoofdistributionlists integer NOT NULL,
    domainlimitationsenabled integer NOT NULL,
    domainmaxaccountsize integer NOT NULL,
    domaindkimselector character varying(255) NOT NULL,
    domaindkimprivatekeyfile character varying(255) NOT NULL
);


ALTER TABLE public.hm_domains OWNER TO postgres;

--
-- Name: hm_domains_domainid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_domains_domainid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_domains_domainid_seq OWNER TO postgres;

--
-- Name: hm_domains_domainid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_domains_domainid_seq OWNED BY public.hm_domains.domainid;


--
-- Name: hm_fetchaccounts; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_fetchaccounts (
    faid integer NOT NULL,
    faaccountname character varying(255) NOT NULL
);


ALTER TABLE public.hm_fetchaccounts OWNER TO postgres;

--
-- Name: hm_fetchaccounts_faid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_fetchaccounts_faid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_fetchaccounts_faid_seq OWNER TO postgres;

--
-- Name: hm_fetchaccounts_faid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_fetchaccounts_faid_seq OWNED BY public.hm_fetchaccounts.faid;


--
-- Name: hm_group_members; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_group_members (
    memberid integer NOT NULL,
    membergroupid integer NOT NULL,
    memberaccountid integer NOT NULL
);


ALTER TABLE public.hm_group_members OWNER TO postgres;

--
-- Name: hm_group_members_memberid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_group_members_memberid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_group_members_memberid_seq OWNER TO postgres;

--
-- Name: hm_group_members_memberid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_group_members_memberid_seq OWNED BY public.hm_group_members.memberid;


--
-- Name: hm_groups; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_groups (
    groupid integer NOT NULL,
    groupname character varying(255) NOT NULL
);


ALTER TABLE public.hm_groups OWNER TO postgres;

--
-- Name: hm_groups_groupid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_groups_groupid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_groups_groupid_seq OWNER TO postgres;

--
-- Name: hm_groups_groupid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_groups_groupid_seq OWNED BY public.hm_groups.groupid;


--
-- Name: hm_messages; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_messages (
    messageid integer NOT NULL,
    messagefilename character varying(255) NOT NULL
);


ALTER TABLE public.hm_messages OWNER TO postgres;

--
-- Name: hm_messages_messageid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_messages_messageid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_messages_messageid_seq OWNER TO postgres;

--
-- Name: hm_messages_messageid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_messages_messageid_seq OWNED BY public.hm_messages.messageid;


--
-- Name: hm_routeaddresses; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_routeaddresses (
    routeaddressid integer NOT NULL,
    routeaddressrouteid integer NOT NULL,
    routeaddressaddress character varying(255) NOT NULL
);


ALTER TABLE public.hm_routeaddresses OWNER TO postgres;

--
-- Name: hm_routeaddresses_routeaddressid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_routeaddresses_routeaddressid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_routeaddresses_routeaddressid_seq OWNER TO postgres;

--
-- Name: hm_routeaddresses_routeaddressid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_routeaddresses_routeaddressid_seq OWNED BY public.hm_routeaddresses.routeaddressid;


--
-- Name: hm_routes; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_routes (
    routeid integer NOT NULL,
    routedomainname character varying(255) NOT NULL,
    routedescription character varying(255) NOT NULL,
    routetargetsmthost character varying(255) NOT NULL,
    routetargetsmtport integer NOT NULL,
    routealladdresses integer NOT NULL,
    routeuseauthentication integer NOT NULL,
    routeauthenticationusername character varying(255) NOT NULL,
    routeauthenticationpassword character varying(255) NOT NULL,
    routetreatsecurityaslocal integer NOT NULL,
    routeconnectionsecurity integer NOT NULL,
    routetreatsenderaslocaldomain integer NOT NULL
);


ALTER TABLE public.hm_routes OWNER TO postgres;

--
-- Name: hm_routes_routeid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_routes_routeid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_routes_routeid_seq OWNER TO postgres;

--
-- Name: hm_routes_routeid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_routes_routeid_seq OWNED BY public.hm_routes.routeid;


--
-- Name: hm_rules; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_rules (
    ruleid integer NOT NULL,
    ruleaccountid integer NOT NULL,
    rulename character varying(100) NOT NULL
);


ALTER TABLE public.hm_rules OWNER TO postgres;

--
-- Name: hm_rules_ruleid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_rules_ruleid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_rules_ruleid_seq OWNER TO postgres;

--
-- Name: hm_rules_ruleid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_rules_ruleid_seq OWNED BY public.hm_rules.ruleid;


--
-- Name: hm_settings; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.hm_settings (
    settingid integer NOT NULL,
    settingname character varying(30) NOT NULL,
    settingstring character varying(4000) NOT NULL,
    settinginteger integer NOT NULL
);


ALTER TABLE public.hm_settings OWNER TO postgres;

--
-- Name: hm_settings_settingid_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.hm_settings_settingid_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.hm_settings_settingid_seq OWNER TO postgres;

--
-- Name: hm_settings_settingid_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.hm_settings_settingid_seq OWNED BY public.hm_settings.settingid;


--
-- Name: hm_accounts accountid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_accounts ALTER COLUMN accountid SET DEFAULT nextval('public.hm_accounts_accountid_seq'::regclass);


--
-- Name: hm_aliases aliasid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_aliases ALTER COLUMN aliasid SET DEFAULT nextval('public.hm_aliases_aliasid_seq'::regclass);


--
-- Name: hm_distributionlists distributionlistid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_distributionlists ALTER COLUMN distributionlistid SET DEFAULT nextval('public.hm_distributionlists_distributionlistid_seq'::regclass);


--
-- Name: hm_distributionlistsrecipients distributionlistrecipientid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_distributionlistsrecipients ALTER COLUMN distributionlistrecipientid SET DEFAULT nextval('public.hm_distributionlistsrecipients_distributionlistrecipientid_seq'::regclass);


--
-- Name: hm_dnsbl sblid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_dnsbl ALTER COLUMN sblid SET DEFAULT nextval('public.hm_dnsbl_sblid_seq'::regclass);


--
-- Name: hm_domain_aliases daid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_domain_aliases ALTER COLUMN daid SET DEFAULT nextval('public.hm_domain_aliases_daid_seq'::regclass);


--
-- Name: hm_domains domainid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_domains ALTER COLUMN domainid SET DEFAULT nextval('public.hm_domains_domainid_seq'::regclass);


--
-- Name: hm_fetchaccounts faid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_fetchaccounts ALTER COLUMN faid SET DEFAULT nextval('public.hm_fetchaccounts_faid_seq'::regclass);


--
-- Name: hm_group_members memberid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_group_members ALTER COLUMN memberid SET DEFAULT nextval('public.hm_group_members_memberid_seq'::regclass);


--
-- Name: hm_groups groupid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_groups ALTER COLUMN groupid SET DEFAULT nextval('public.hm_groups_groupid_seq'::regclass);


--
-- Name: hm_messages messageid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_messages ALTER COLUMN messageid SET DEFAULT nextval('public.hm_messages_messageid_seq'::regclass);


--
-- Name: hm_routeaddresses routeaddressid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_routeaddresses ALTER COLUMN routeaddressid SET DEFAULT nextval('public.hm_routeaddresses_routeaddressid_seq'::regclass);


--
-- Name: hm_routes routeid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_routes ALTER COLUMN routeid SET DEFAULT nextval('public.hm_routes_routeid_seq'::regclass);


--
-- Name: hm_rules ruleid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_rules ALTER COLUMN ruleid SET DEFAULT nextval('public.hm_rules_ruleid_seq'::regclass);


--
-- Name: hm_settings settingid; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_settings ALTER COLUMN settingid SET DEFAULT nextval('public.hm_settings_settingid_seq'::regclass);


--
-- Data for Name: hm_accounts; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_accounts (accountid, accountdomainid, accountadminlevel, accountaddress, accountpassword, accountactive, accountisad, accountaddomain, accountadusername, accountmaxsize, accountvacationmessageon, accountvacationmessage, accountvacationsubject, accountpwencryption, accountforwardenabled, accountforwardaddress, accountforwardkeeporiginal, accountenablesignature, accountsignatureplaintext, accountsignaturehtml, accountpersonfirstname, accountpersonlastname) FROM stdin;
1	1	2	anna@example.org	geheim123	1	0			100	0			0	0		0	0			Anna	O'Hara
2	1	1	bert@example.org	34d9f87288c0db24294938b861b56ab2	1	0			0	0			1	0		0	0			Bert	Müller
3	1	0	carla@example.org	576aa4c2e8948b2a10d21617d3a84085	1	0			0	1	I'm away;\nback \\ soon		2	0		0	0				
4	1	0	dora@example.org		1	1	CORP	dora	0	0			0	0		0	0				
5	2	0	emil@old.example	a1b2c383ad3b111f9abdb429fd0c673a37ecc6f8ca80f44547051e579cc24748b71394	0	0			0	0			3	1	emil@elsewhere.example	1	0				
6	1	0	broken@example.org	nohash	1	0			0	0			3	0		0	0				
\.


--
-- Data for Name: hm_aliases; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_aliases (aliasid, aliasdomainid, aliasname, aliasvalue, aliasactive) FROM stdin;
1	1	info@example.org	anna@example.org	1
2	1	sleeping@example.org	bert@example.org	0
\.


--
-- Data for Name: hm_distributionlists; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_distributionlists (distributionlistid, distributionlistdomainid, distributionlistaddress, distributionlistenabled, distributionlistrequireauth, distributionlistrequireaddress, distributionlistmode) FROM stdin;
1	1	team@example.org	1	0		1
2	1	news@example.org	1	0	anna@example.org	2
\.


--
-- Data for Name: hm_distributionlistsrecipients; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_distributionlistsrecipients (distributionlistrecipientid, distributionlistrecipientlistid, distributionlistrecipientaddress) FROM stdin;
1	1	anna@example.org
2	1	bert@example.org
3	9	lost@example.org
\.


--
-- Data for Name: hm_dnsbl; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_dnsbl (sblid, sblactive, sbldnshost) FROM stdin;
1	1	zen.example
\.


--
-- Data for Name: hm_domain_aliases; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_domain_aliases (daid, dadomainid, daalias) FROM stdin;
1	1	example.net
\.


--
-- Data for Name: hm_domains; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_domains (domainid, domainname, domainactive, domainpostmaster, domainmaxsize, domainaddomain, domainmaxmessagesize, domainuseplusaddressing, domainplusaddressingchar, domainantispamoptions, domainenablesignature, domainsignaturemethod, domainsignatureplaintext, domainsignaturehtml, domainaddsignaturestoreplies, domainaddsignaturestolocalemail, domainmaxnoofaccounts, domainmaxnoofaliases, domainmaxnoofdistributionlists, domainlimitationsenabled, domainmaxaccountsize, domaindkimselector, domaindkimprivatekeyfile) FROM stdin;
1	example.org	1	anna@example.org	0		0	1	+	0	0	0			0	0	50	0	0	1	0		
2	old.example	0		0		0	1	+	0	0	0			0	0	0	0	0	0	0		C:/keys/old.pem
\.


--
-- Data for Name: hm_fetchaccounts; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_fetchaccounts (faid, faaccountname) FROM stdin;
1	old provider
\.


--
-- Data for Name: hm_group_members; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_group_members (memberid, membergroupid, memberaccountid) FROM stdin;
1	1	1
\.


--
-- Data for Name: hm_groups; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_groups (groupid, groupname) FROM stdin;
1	Managers
\.


--
-- Data for Name: hm_messages; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_messages (messageid, messagefilename) FROM stdin;
1	{abc}.eml
\.


--
-- Data for Name: hm_routeaddresses; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_routeaddresses (routeaddressid, routeaddressrouteid, routeaddressaddress) FROM stdin;
1	1	only@partner.example
\.


--
-- Data for Name: hm_routes; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_routes (routeid, routedomainname, routedescription, routetargetsmthost, routetargetsmtport, routealladdresses, routeuseauthentication, routeauthenticationusername, routeauthenticationpassword, routetreatsecurityaslocal, routeconnectionsecurity, routetreatsenderaslocaldomain) FROM stdin;
1	partner.example		mail.partner.example	25	1	1	us	x	1	3	0
2	a*b.example		x.example	25	1	0			0	0	0
\.


--
-- Data for Name: hm_rules; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_rules (ruleid, ruleaccountid, rulename) FROM stdin;
1	0	Junk
\.


--
-- Data for Name: hm_settings; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.hm_settings (settingid, settingname, settingstring, settinginteger) FROM stdin;
1	maxmessagesize		20480
2	smtprelayer	smart.example	0
3	smtprelayerport		587
4	hostname	mail.example.org	0
5	usespf		1
\.


--
-- Name: hm_accounts_accountid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_accounts_accountid_seq', 1, false);


--
-- Name: hm_aliases_aliasid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_aliases_aliasid_seq', 1, false);


--
-- Name: hm_distributionlists_distributionlistid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_distributionlists_distributionlistid_seq', 1, false);


--
-- Name: hm_distributionlistsrecipients_distributionlistrecipientid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_distributionlistsrecipients_distributionlistrecipientid_seq', 1, false);


--
-- Name: hm_dnsbl_sblid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_dnsbl_sblid_seq', 1, false);


--
-- Name: hm_domain_aliases_daid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_domain_aliases_daid_seq', 1, false);


--
-- Name: hm_domains_domainid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_domains_domainid_seq', 1, false);


--
-- Name: hm_fetchaccounts_faid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_fetchaccounts_faid_seq', 1, false);


--
-- Name: hm_group_members_memberid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_group_members_memberid_seq', 1, false);


--
-- Name: hm_groups_groupid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_groups_groupid_seq', 1, false);


--
-- Name: hm_messages_messageid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_messages_messageid_seq', 1, false);


--
-- Name: hm_routeaddresses_routeaddressid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_routeaddresses_routeaddressid_seq', 1, false);


--
-- Name: hm_routes_routeid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_routes_routeid_seq', 1, false);


--
-- Name: hm_rules_ruleid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_rules_ruleid_seq', 1, false);


--
-- Name: hm_settings_settingid_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.hm_settings_settingid_seq', 1, false);


--
-- Name: hm_accounts hm_accounts_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_accounts
    ADD CONSTRAINT hm_accounts_pkey PRIMARY KEY (accountid);


--
-- Name: hm_aliases hm_aliases_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_aliases
    ADD CONSTRAINT hm_aliases_pkey PRIMARY KEY (aliasid);


--
-- Name: hm_distributionlists hm_distributionlists_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_distributionlists
    ADD CONSTRAINT hm_distributionlists_pkey PRIMARY KEY (distributionlistid);


--
-- Name: hm_distributionlistsrecipients hm_distributionlistsrecipients_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_distributionlistsrecipients
    ADD CONSTRAINT hm_distributionlistsrecipients_pkey PRIMARY KEY (distributionlistrecipientid);


--
-- Name: hm_dnsbl hm_dnsbl_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_dnsbl
    ADD CONSTRAINT hm_dnsbl_pkey PRIMARY KEY (sblid);


--
-- Name: hm_domain_aliases hm_domain_aliases_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_domain_aliases
    ADD CONSTRAINT hm_domain_aliases_pkey PRIMARY KEY (daid);


--
-- Name: hm_domains hm_domains_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_domains
    ADD CONSTRAINT hm_domains_pkey PRIMARY KEY (domainid);


--
-- Name: hm_fetchaccounts hm_fetchaccounts_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_fetchaccounts
    ADD CONSTRAINT hm_fetchaccounts_pkey PRIMARY KEY (faid);


--
-- Name: hm_group_members hm_group_members_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_group_members
    ADD CONSTRAINT hm_group_members_pkey PRIMARY KEY (memberid);


--
-- Name: hm_groups hm_groups_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_groups
    ADD CONSTRAINT hm_groups_pkey PRIMARY KEY (groupid);


--
-- Name: hm_messages hm_messages_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_messages
    ADD CONSTRAINT hm_messages_pkey PRIMARY KEY (messageid);


--
-- Name: hm_routeaddresses hm_routeaddresses_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_routeaddresses
    ADD CONSTRAINT hm_routeaddresses_pkey PRIMARY KEY (routeaddressid);


--
-- Name: hm_routes hm_routes_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_routes
    ADD CONSTRAINT hm_routes_pkey PRIMARY KEY (routeid);


--
-- Name: hm_rules hm_rules_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_rules
    ADD CONSTRAINT hm_rules_pkey PRIMARY KEY (ruleid);


--
-- Name: hm_settings hm_settings_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.hm_settings
    ADD CONSTRAINT hm_settings_pkey PRIMARY KEY (settingid);


--
-- PostgreSQL database dump complete
--

\unrestrict fqIimhQ4WDJE7o9vL9bgEzIU3yl8BoVc0gQbEo1LeEvB2Gl0NQ0w2u8ZChATuDK

