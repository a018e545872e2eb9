// A database in memory: inserts, an index, joins, groups, updates, text functions, and a recursive query.
#include "../../programs/program.h"
#include "sqlite3.h"

static void fail(sqlite3 *db, const char *sql) {
  printf("%s: %s\n", sql, sqlite3_errmsg(db));
  exit(1);
}

static void execute(sqlite3 *db, const char *sql) {
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
    fail(db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
    fail(db, sql);
  return statement;
}

// Prints how many rows a query gives, a checksum of all, and the first.
static void query(sqlite3 *db, const char *name, const char *sql) {
  sqlite3_stmt *statement = prepare(db, sql);
  uint64_t hash = 0;
  int n_rows = 0;
  char first[100] = "";
  while (sqlite3_step(statement) == SQLITE_ROW) {
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
      const char *text = (const char *)sqlite3_column_text(statement, column);
      text = text ? text : "NULL";
      hash = mix_bytes(hash, text, strlen(text));
      if (n_rows == 0)
        snprintf(first + strlen(first), sizeof first - strlen(first), " %s", text);
    }
    n_rows++;
  }
  sqlite3_finalize(statement);
  printf("%s: %d rows %016" PRIx64 ",%s\n", name, n_rows, hash, first);
}

static void insert(sqlite3 *db, int n) {
  uint64_t seed = 1;
  char name[40];
  sqlite3_stmt *customer = prepare(db, "INSERT INTO customer VALUES (?, ?)");
  sqlite3_stmt *sale = prepare(db, "INSERT INTO sale VALUES (NULL, ?, ?, ?)");
  execute(db, "BEGIN");
  for (int i = 0; i < n; i++) {
    snprintf(name, sizeof name, "%c%c customer %d", 'A' + (int)random_below(&seed, 26), 'a' + (int)random_below(&seed, 26), i);
    sqlite3_bind_int(customer, 1, i);
    sqlite3_bind_text(customer, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_step(customer);
    sqlite3_reset(customer);
    for (int k = 0; k < 4; k++) {
      sqlite3_bind_int(sale, 1, (int)random_below(&seed, (uint32_t)n));
      sqlite3_bind_int(sale, 2, (int)random_below(&seed, 365));
      sqlite3_bind_int(sale, 3, 100 + (int)random_below(&seed, 9900));
      sqlite3_step(sale);
      sqlite3_reset(sale);
    }
  }
  execute(db, "COMMIT");
  sqlite3_finalize(customer);
  sqlite3_finalize(sale);
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  sqlite3 *db;
  if (sqlite3_open(":memory:", &db) != SQLITE_OK)
    return 1;
  execute(db, "CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT);"
              "CREATE TABLE sale (id INTEGER PRIMARY KEY, customer INTEGER, day INTEGER, cents INTEGER)");
  insert(db, n);
  execute(db, "CREATE INDEX sale_customer ON sale (customer)");
  query(db, "days", "SELECT day / 30, count(*), sum(cents) FROM sale GROUP BY day / 30 ORDER BY 1");
  query(db, "best", "SELECT name, sum(cents) AS total FROM customer JOIN sale ON sale.customer = customer.id "
                    "GROUP BY customer.id HAVING total > 10000 ORDER BY total DESC, name");
  query(db, "names", "SELECT upper(substr(name, 1, 2)), count(*) FROM customer WHERE name LIKE '%1%' GROUP BY 1 ORDER BY 1");
  execute(db, "UPDATE sale SET cents = cents * 9 / 10 WHERE day BETWEEN 100 AND 200;"
              "DELETE FROM sale WHERE customer % 10 = 3");
  query(db, "left", "SELECT count(*), sum(cents), min(day), max(day) FROM sale");
  query(db, "without", "SELECT count(*) FROM customer WHERE id NOT IN (SELECT customer FROM sale)");
  query(db, "recursive", "WITH RECURSIVE step(i, x) AS (SELECT 1, 1 UNION ALL SELECT i + 1, (x * 31 + i) % 1009 FROM step "
                         "WHERE i < 500) SELECT x, count(*) FROM step GROUP BY x ORDER BY 2 DESC, 1 LIMIT 20");
  sqlite3_close(db);
}
