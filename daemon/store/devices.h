/* Devices have numbers of their own in the store, kept for ever, because indices change with the configuration.
 * The loop's. */
#ifndef RG_STORE_DEVICES_H
#define RG_STORE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DEVICES_NONE UINT32_MAX

struct devices;

RG_NODISCARD enum rg_err devices_create(struct devices **out);
void devices_destroy(struct devices *d); /* takes NULL */
/* A device that is in the store. RG_EEXIST: the name or the id is there already; RG_ERANGE, RG_ENOMEM. */
RG_NODISCARD enum rg_err devices_load(struct devices *d, uint32_t id, const char *name);
/* The id of the device with that index in the site and that name, made when it is new. *stored: it is durable in
 * the store already. RG_EFULL: too many names in the store's life. */
RG_NODISCARD enum rg_err devices_enter(struct devices *d, uint32_t index, const char *name, uint32_t *id,
                                       bool *stored);
/* The device with that id is durable. */
void devices_stored(struct devices *d, uint32_t id);
/* The next device from *id on that is known, its name; NULL: no more. *id is its id then. */
const char *devices_next(const struct devices *d, uint32_t *id);
/* The id known for an index of the site, or DEVICES_NONE. */
uint32_t devices_at(const struct devices *d, size_t index);
/* Forgets which index belongs to whom: the site has changed. */
void devices_forget(struct devices *d);

#endif
