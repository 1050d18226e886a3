/** The store suite on PostgreSQL, and how this engine does it. */

import { postgresDatabase, postgresServer } from "../helpers/postgres_database.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("postgres", postgresDatabase, postgresServer === undefined);
