/* Which devices were asked how often, and since when: the table duty. */
#ifndef RG_STORE_DUTY_H
#define RG_STORE_DUTY_H

#include "store/db.h"
#include "store/inquiry.h"

/* A list on its way to the disk. */
struct duty_list {
    int64_t now_ms;
    int64_t turn; /* of the list: no two have the same */
    int64_t keep_ms;
    size_t count;
    struct store_duty *duties; /* their names lie behind them */
};

struct duty_list *duty_copy(const struct store_duty *duties, size_t count); /* NULL: no memory */
void duty_free(struct duty_list *list);                                     /* takes NULL */
/* Inside a transaction: ends the stretches that are over, begins the new ones. */
int duty_write(sqlite3 *db, const struct duty_list *list);

#endif
