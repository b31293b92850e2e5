/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: hm
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `hm_accounts`
--

DROP TABLE IF EXISTS `hm_accounts`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_accounts` (
  `accountid` int(11) NOT NULL AUTO_INCREMENT,
  `accountdomainid` int(11) NOT NULL,
  `accountadminlevel` int(11) NOT NULL,
  `accountaddress` varchar(255) NOT NULL,
  `accountpassword` varchar(255) NOT NULL,
  `accountactive` int(11) NOT NULL,
  `accountisad` int(11) NOT NULL,
  `accountaddomain` varchar(255) NOT NULL,
  `accountadusername` varchar(255) NOT NULL,
  `accountmaxsize` int(11) NOT NULL,
  `accountvacationmessageon` int(11) NOT NULL,
  `accountvacationmessage` text NOT NULL,
  `accountvacationsubject` varchar(200) NOT NULL,
  `accountpwencryption` int(11) NOT NULL,
  `accountforwardenabled` int(11) NOT NULL,
  `accountforwardaddress` varchar(255) NOT NULL,
  `accountforwardkeeporiginal` int(11) NOT NULL,
  `accountenablesignature` int(11) NOT NULL,
  `accountsignatureplaintext` text NOT NULL,
  `accountsignaturehtml` text NOT NULL,
  `accountpersonfirstname` varchar(60) NOT NULL,
  `accountpersonlastname` varchar(60) NOT NULL,
  PRIMARY KEY (`accountid`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_accounts`
--

LOCK TABLES `hm_accounts` WRITE;
/*!40000 ALTER TABLE `hm_accounts` DISABLE KEYS */;
INSERT INTO `hm_accounts` VALUES
(1,1,2,'anna@example.org','geheim123',1,0,'','',100,0,'','',0,0,'',0,0,'','','Anna','O\'Hara'),
(2,1,1,'bert@example.org','34d9f87288c0db24294938b861b56ab2',1,0,'','',0,0,'','',1,0,'',0,0,'','','Bert','Müller'),
(3,1,0,'carla@example.org','576aa4c2e8948b2a10d21617d3a84085',1,0,'','',0,1,'I\'m away;\nback \\ soon','',2,0,'',0,0,'','','',''),
(4,1,0,'dora@example.org','',1,1,'CORP','dora',0,0,'','',0,0,'',0,0,'','','',''),
(5,2,0,'emil@old.example','a1b2c383ad3b111f9abdb429fd0c673a37ecc6f8ca80f44547051e579cc24748b71394',0,0,'','',0,0,'','',3,1,'emil@elsewhere.example',1,0,'','','',''),
(6,1,0,'broken@example.org','nohash',1,0,'','',0,0,'','',3,0,'',0,0,'','','','');
/*!40000 ALTER TABLE `hm_accounts` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_aliases`
--

DROP TABLE IF EXISTS `hm_aliases`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_aliases` (
  `aliasid` int(11) NOT NULL AUTO_INCREMENT,
  `aliasdomainid` int(11) NOT NULL,
  `aliasname` varchar(255) NOT NULL,
  `aliasvalue` varchar(255) NOT NULL,
  `aliasactive` int(11) NOT NULL,
  PRIMARY KEY (`aliasid`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_aliases`
--

LOCK TABLES `hm_aliases` WRITE;
/*!40000 ALTER TABLE `hm_aliases` DISABLE KEYS */;
INSERT INTO `hm_aliases` VALUES
(1,1,'info@example.org','anna@example.org',1),
(2,1,'sleeping@example.org','bert@example.org',0);
/*!40000 ALTER TABLE `hm_aliases` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_distributionlists`
--

DROP TABLE IF EXISTS `hm_distributionlists`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_distributionlists` (
  `distributionlistid` int(11) NOT NULL AUTO_INCREMENT,
  `distributionlistdomainid` int(11) NOT NULL,
  `distributionlistaddress` varchar(255) NOT NULL,
  `distributionlistenabled` int(11) NOT NULL,
  `distributionlistrequireauth` int(11) NOT NULL,
  `distributionlistrequireaddress` varchar(255) NOT NULL,
  `distributionlistmode` int(11) NOT NULL,
  PRIMARY KEY (`distributionlistid`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_distributionlists`
--

LOCK TABLES `hm_distributionlists` WRITE;
/*!40000 ALTER TABLE `hm_distributionlists` DISABLE KEYS */;
INSERT INTO `hm_distributionlists` VALUES
(1,1,'team@example.org',1,0,'',1),
(2,1,'news@example.org',1,0,'anna@example.org',2);
/*!40000 ALTER TABLE `hm_distributionlists` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_distributionlistsrecipients`
--

DROP TABLE IF EXISTS `hm_distributionlistsrecipients`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_distributionlistsrecipients` (
  `distributionlistrecipientid` int(11) NOT NULL AUTO_INCREMENT,
  `distributionlistrecipientlistid` int(11) NOT NULL,
  `distributionlistrecipientaddress` varchar(255) NOT NULL,
  PRIMARY KEY (`distributionlistrecipientid`)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_distributionlistsrecipients`
--

LOCK TABLES `hm_distributionlistsrecipients` WRITE;
/*!40000 ALTER TABLE `hm_distributionlistsrecipients` DISABLE KEYS */;
INSERT INTO `hm_distributionlistsrecipients` VALUES
(1,1,'anna@example.org'),
(2,1,'bert@example.org'),
(3,9,'lost@example.org');
/*!40000 ALTER TABLE `hm_distributionlistsrecipients` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_dnsbl`
--

DROP TABLE IF EXISTS `hm_dnsbl`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_dnsbl` (
  `sblid` int(11) NOT NULL AUTO_INCREMENT,
  `sblactive` int(11) NOT NULL,
  `sbldnshost` varchar(255) NOT NULL,
  PRIMARY KEY (`sblid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_dnsbl`
--

LOCK TABLES `hm_dnsbl` WRITE;
/*!40000 ALTER TABLE `hm_dnsbl` DISABLE KEYS */;
INSERT INTO `hm_dnsbl` VALUES
(1,1,'zen.example');
/*!40000 ALTER TABLE `hm_dnsbl` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_domain_aliases`
--

DROP TABLE IF EXISTS `hm_domain_aliases`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_domain_aliases` (
  `daid` int(11) NOT NULL AUTO_INCREMENT,
  `dadomainid` int(11) NOT NULL,
  `daalias` varchar(255) NOT NULL,
  PRIMARY KEY (`daid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_domain_aliases`
--

LOCK TABLES `hm_domain_aliases` WRITE;
/*!40000 ALTER TABLE `hm_domain_aliases` DISABLE KEYS */;
INSERT INTO `hm_domain_aliases` VALUES
(1,1,'example.net');
/*!40000 ALTER TABLE `hm_domain_aliases` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_domains`
--

DROP TABLE IF EXISTS `hm_domains`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_domains` (
  `domainid` int(11) NOT NULL AUTO_INCREMENT,
  `domainname` varchar(80) NOT NULL,
  `domainactive` int(11) NOT NULL,
  `domainpostmaster` varchar(80) NOT NULL,
  `domainmaxsize` int(11) NOT NULL,
  `domainaddomain` varchar(255) NOT NULL,
  `domainmaxmessagesize` int(11) NOT NULL,
  `domainuseplusaddressing` int(11) NOT NULL,
  `domainplusaddressingchar` varchar(1) NOT NULL,
  `domainantispamoptions` int(11) NOT NULL,
  `domainenablesignature` int(11) NOT NULL,
  `domainsignaturemethod` int(11) NOT NULL,
  `domainsignatureplaintext` text NOT NULL,
  `domainsignaturehtml` text NOT NULL,
  `domainaddsignaturestoreplies` int(11) NOT NULL,
  `domainaddsignaturestolocalemail` int(11) NOT NULL,
  `domainmaxnoofaccounts` int(11) NOT NULL,
  `domainmaxnoofaliases` int(11) NOT NULL,
  `domainmaxnoofdistributionlists` int(11) NOT NULL,
  `domainlimitationsenabled` int(11) NOT NULL,
  `domainmaxaccountsize` int(11) NOT NULL,
  `domaindkimselector` varchar(255) NOT NULL,
  `domaindkimprivatekeyfile` varchar(255) NOT NULL,
  PRIMARY KEY (`domainid`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_domains`
--

LOCK TABLES `hm_domains` WRITE;
/*!40000 ALTER TABLE `hm_domains` DISABLE KEYS */;
INSERT INTO `hm_domains` VALUES
(1,'example.org',1,'anna@example.org',0,'',0,1,'+',0,0,0,'','',0,0,50,0,0,1,0,'',''),
(2,'old.example',0,'',0,'',0,1,'+',0,0,0,'','',0,0,0,0,0,0,0,'','C:/keys/old.pem');
/*!40000 ALTER TABLE `hm_domains` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_fetchaccounts`
--

DROP TABLE IF EXISTS `hm_fetchaccounts`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_fetchaccounts` (
  `faid` int(11) NOT NULL AUTO_INCREMENT,
  `faaccountname` varchar(255) NOT NULL,
  PRIMARY KEY (`faid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_fetchaccounts`
--

LOCK TABLES `hm_fetchaccounts` WRITE;
/*!40000 ALTER TABLE `hm_fetchaccounts` DISABLE KEYS */;
INSERT INTO `hm_fetchaccounts` VALUES
(1,'old provider');
/*!40000 ALTER TABLE `hm_fetchaccounts` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_group_members`
--

DROP TABLE IF EXISTS `hm_group_members`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_group_members` (
  `memberid` int(11) NOT NULL AUTO_INCREMENT,
  `membergroupid` int(11) NOT NULL,
  `memberaccountid` int(11) NOT NULL,
  PRIMARY KEY (`memberid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_group_members`
--

LOCK TABLES `hm_group_members` WRITE;
/*!40000 ALTER TABLE `hm_group_members` DISABLE KEYS */;
INSERT INTO `hm_group_members` VALUES
(1,1,1);
/*!40000 ALTER TABLE `hm_group_members` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_groups`
--

DROP TABLE IF EXISTS `hm_groups`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_groups` (
  `groupid` int(11) NOT NULL AUTO_INCREMENT,
  `groupname` varchar(255) NOT NULL,
  PRIMARY KEY (`groupid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_groups`
--

LOCK TABLES `hm_groups` WRITE;
/*!40000 ALTER TABLE `hm_groups` DISABLE KEYS */;
INSERT INTO `hm_groups` VALUES
(1,'Managers');
/*!40000 ALTER TABLE `hm_groups` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_messages`
--

DROP TABLE IF EXISTS `hm_messages`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_messages` (
  `messageid` int(11) NOT NULL AUTO_INCREMENT,
  `messagefilename` varchar(255) NOT NULL,
  PRIMARY KEY (`messageid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_messages`
--

LOCK TABLES `hm_messages` WRITE;
/*!40000 ALTER TABLE `hm_messages` DISABLE KEYS */;
INSERT INTO `hm_messages` VALUES
(1,'{abc}.eml');
/*!40000 ALTER TABLE `hm_messages` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_routeaddresses`
--

DROP TABLE IF EXISTS `hm_routeaddresses`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_routeaddresses` (
  `routeaddressid` int(11) NOT NULL AUTO_INCREMENT,
  `routeaddressrouteid` int(11) NOT NULL,
  `routeaddressaddress` varchar(255) NOT NULL,
  PRIMARY KEY (`routeaddressid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_routeaddresses`
--

LOCK TABLES `hm_routeaddresses` WRITE;
/*!40000 ALTER TABLE `hm_routeaddresses` DISABLE KEYS */;
INSERT INTO `hm_routeaddresses` VALUES
(1,1,'only@partner.example');
/*!40000 ALTER TABLE `hm_routeaddresses` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_routes`
--

DROP TABLE IF EXISTS `hm_routes`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_routes` (
  `routeid` int(11) NOT NULL AUTO_INCREMENT,
  `routedomainname` varchar(255) NOT NULL,
  `routedescription` varchar(255) NOT NULL,
  `routetargetsmthost` varchar(255) NOT NULL,
  `routetargetsmtport` int(11) NOT NULL,
  `routealladdresses` int(11) NOT NULL,
  `routeuseauthentication` int(11) NOT NULL,
  `routeauthenticationusername` varchar(255) NOT NULL,
  `routeauthenticationpassword` varchar(255) NOT NULL,
  `routetreatsecurityaslocal` int(11) NOT NULL,
  `routeconnectionsecurity` int(11) NOT NULL,
  `routetreatsenderaslocaldomain` int(11) NOT NULL,
  PRIMARY KEY (`routeid`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_routes`
--

LOCK TABLES `hm_routes` WRITE;
/*!40000 ALTER TABLE `hm_routes` DISABLE KEYS */;
INSERT INTO `hm_routes` VALUES
(1,'partner.example','','mail.partner.example',25,1,1,'us','x',1,3,0),
(2,'a*b.example','','x.example',25,1,0,'','',0,0,0);
/*!40000 ALTER TABLE `hm_routes` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_rules`
--

DROP TABLE IF EXISTS `hm_rules`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_rules` (
  `ruleid` int(11) NOT NULL AUTO_INCREMENT,
  `ruleaccountid` int(11) NOT NULL,
  `rulename` varchar(100) NOT NULL,
  PRIMARY KEY (`ruleid`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_rules`
--

LOCK TABLES `hm_rules` WRITE;
/*!40000 ALTER TABLE `hm_rules` DISABLE KEYS */;
INSERT INTO `hm_rules` VALUES
(1,0,'Junk');
/*!40000 ALTER TABLE `hm_rules` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `hm_settings`
--

DROP TABLE IF EXISTS `hm_settings`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `hm_settings` (
  `settingid` int(11) NOT NULL AUTO_INCREMENT,
  `settingname` varchar(30) NOT NULL,
  `settingstring` varchar(4000) NOT NULL,
  `settinginteger` int(11) NOT NULL,
  PRIMARY KEY (`settingid`)
) ENGINE=InnoDB AUTO_INCREMENT=6 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `hm_settings`
--

LOCK TABLES `hm_settings` WRITE;
/*!40000 ALTER TABLE `hm_settings` DISABLE KEYS */;
INSERT INTO `hm_settings` VALUES
(1,'maxmessagesize','',20480),
(2,'smtprelayer','smart.example',0),
(3,'smtprelayerport','',587),
(4,'hostname','mail.example.org',0),
(5,'usespf','',1);
/*!40000 ALTER TABLE `hm_settings` ENABLE KEYS */;
UNLOCK TABLES;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-21  8:45:27
