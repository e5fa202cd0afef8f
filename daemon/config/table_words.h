/* The words in which the rows of the table are written, one file for each part of a configuration. Internal to
 * the table_*.c. */
#ifndef RG_CONFIG_TABLE_WORDS_H
#define RG_CONFIG_TABLE_WORDS_H

#include "base/error.h"
#include "config/items.h"
#include "config/table.h"

#define MINUTE 60e3
#define HOUR 3600e3
#define DAY 86400e3
#define CENTURY (36500 * DAY)
#define KIB 1024.0
#define MIB (KIB * KIB)
#define TIB (MIB * MIB)

#define KEY(section_, name_, kind_, doc_, ...)                                                               \
    {                                                                                                        \
        .section = SECTION_##section_, .name = (name_), .kind = KIND_##kind_, .doc = (doc_), __VA_ARGS__     \
    }
#define LATER(section_, name_, doc_) KEY(section_, name_, NOTHING, doc_, .flags = KEY_LATER)
#define REQUIRED .flags = KEY_REQUIRED
#define ONE_OF .flags = KEY_ONE_OF
#define ANY_OF .flags = KEY_ANY_OF
#define RANGE(min_, max_) .min = (min_), .max = (max_)
#define STANDARD(text) .standard = (text)
#define NAMES(choices_) .choices = (choices_)
#define OF(section_) .of = SECTION_##section_
#define INTO(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

/* A register's address, exactly one of five keys, into the `at`, a struct address_item, of a struct. */
#define ADDRESS_KEYS(section_, type)                                                                         \
    KEY(section_, "coil", INT, "Zero-based protocol address of a coil.", ONE_OF, RANGE(0, 65535),            \
        INTO(type, at.space[SPACE_COIL])),                                                                   \
        KEY(section_, "discrete", INT, "Zero-based protocol address of a discrete input.", ONE_OF,           \
            RANGE(0, 65535), INTO(type, at.space[SPACE_DISCRETE])),                                          \
        KEY(section_, "input", INT, "Zero-based protocol address of an input register.", ONE_OF,             \
            RANGE(0, 65535), INTO(type, at.space[SPACE_INPUT])),                                             \
        KEY(section_, "holding", INT, "Zero-based protocol address of a holding register.", ONE_OF,          \
            RANGE(0, 65535), INTO(type, at.space[SPACE_HOLDING])),                                           \
        KEY(section_, "register", REGISTER,                                                                  \
            "The manuals' one-based notation: 0xxxx coil, 1xxxx discrete, 3xxxx input, 4xxxx holding; five " \
            "or six digits.",                                                                                \
            ONE_OF, INTO(type, at.reg))

/* Rows of whole sections; those of one section lie together. */
struct table_part {
    const struct key_row *rows;
    size_t count;
};
extern const struct table_part table_gateway, table_acquire, table_convert, table_rules, table_outputs,
    table_profile;

#endif
