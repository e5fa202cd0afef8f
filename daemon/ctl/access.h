/* One bus, asked through the running daemon, or opened by ourselves when none runs.
 *
 * Which of the two: an ad-hoc bus (--tcp, --rtu, --rtu-over-tcp) is always opened here. Otherwise the daemon is asked, at
 * --socket, or at the control socket that the configuration of --config names. Only when --config is given and nobody
 * listens there the bus is opened here, and that is said. A serial line that another program holds, the daemon
 * included, cannot be opened: the driver locks it. */
#ifndef RG_CTL_ACCESS_H
#define RG_CTL_ACCESS_H

#include "base/text.h"
#include "ctl/command.h"
#include "ctl/raw_json.h"
#include "drivers/driver.h"

struct access_choice {
    const char *socket; /* never NULL */
    bool socket_given;
    const char *config;                   /* file, or NULL */
    const char *bus;                      /* its name; NULL with an ad-hoc bus */
    const char *tcp, *rtu, *rtu_over_tcp; /* at most one */
    uint32_t baud;                        /* of the ad-hoc line */
    enum parity parity;
    uint8_t stop_bits;
    int64_t timeout_ms; /* for an answer; 0: the bus's */
    bool json;
};

/* Options of every command that asks a bus; the numbers they have for options_next. */
enum access_option_number {
    ACCESS_SOCKET = 1000,
    ACCESS_CONFIG,
    ACCESS_BUS,
    ACCESS_TCP,
    ACCESS_RTU,
    ACCESS_RTU_OVER_TCP,
    ACCESS_BAUD,
    ACCESS_PARITY,
    ACCESS_STOP_BITS,
    ACCESS_TIMEOUT,
    ACCESS_JSON,
};
#define ACCESS_OPTIONS                                                                                       \
    {"bus", "NAME", ACCESS_BUS, "of the running daemon, which asks between its polls", "@bus"},              \
        {"socket", "PATH", ACCESS_SOCKET,                                                                    \
         "the daemon's control socket (" DEFAULT_SOCKET ", or $RISKGATE_SOCKET)", COMPLETES_FILE},           \
        {"config", "FILE", ACCESS_CONFIG,                                                                    \
         "the daemon of that configuration; when none runs, the bus is opened here", COMPLETES_FILE},        \
        {"tcp", "HOST:PORT", ACCESS_TCP, "Modbus TCP, opened here: a line that no daemon asks", NULL},       \
        {"rtu", "PATH", ACCESS_RTU, "a serial line, opened here; one that is in use is refused",             \
         COMPLETES_FILE},                                                                                    \
        {"rtu-over-tcp", "HOST:PORT", ACCESS_RTU_OVER_TCP, "a serial line behind a server, opened here",     \
         NULL},                                                                                              \
        {"baud", "N", ACCESS_BAUD, "its speed; needed with --rtu",                                           \
         "1200 2400 4800 9600 19200 38400 57600 115200"},                                                    \
        {"parity", "KIND", ACCESS_PARITY, "none, even or odd (none)", "none even odd"},                      \
        {"stop-bits", "N", ACCESS_STOP_BITS, "1 or 2 (1)", "1 2"},                                           \
        {"timeout", "DURATION", ACCESS_TIMEOUT, "wait so long for an answer (the bus's own, or 1s)", NULL},  \
    {                                                                                                        \
        "json", NULL, ACCESS_JSON, "the answer as JSON", NULL                                                \
    }

void access_choice_init(struct access_choice *c, const struct arguments *a);
/* False: value is none for this option, which was told. */
bool access_option(struct access_choice *c, int option, const char *value);
/* A bus was chosen, one way only. False: it was told what is missing. */
bool access_choice_check(const struct access_choice *c);

struct access;
/* EXIT_DONE and *out; else what the program is to end with, which was told. */
enum exit_status access_open(const struct access_choice *c, struct access **out);
void access_close(struct access *a); /* takes NULL */

bool access_is_shared(const struct access *a);       /* through the daemon, beside its polls */
const char *access_place(const struct access *a);    /* for people: "bus line (rtu /dev/ttyS1 9600 even 1)" */
const char *access_bus_name(const struct access *a); /* NULL: an ad-hoc bus */
enum bus_kind access_kind(const struct access *a);
int64_t access_timeout_ms(const struct access *a); /* what its units' answers are waited for */

/* What the configuration says about a unit: is there a next device (output)? *index begins at 0. NULL: no more. */
struct access_device {
    char name[TEXT_ID_MAX + 1];
    uint8_t unit;
    int64_t timeout_ms, gap_ms; /* of a bus opened here; else 0 */
};
struct access_output {
    char name[TEXT_ID_MAX + 1];
    uint8_t unit;
    enum point_space space;
    uint16_t address;
};
const struct access_device *access_next_device(const struct access *a, uint8_t unit, size_t *index);
const struct access_output *access_next_output(const struct access *a, uint8_t unit, enum point_space space,
                                               uint16_t address, uint16_t count, size_t *index);

/* One request; timeout_ms 0: what was chosen, or the device's, or the bus's. False: asking itself failed, which was
 * told. took_ms may be NULL. */
bool access_ask(struct access *a, const struct driver_raw *ask, struct driver_raw_answer *answer,
                int64_t *took_ms);
/* A write, with what is there before and after. by: who. False: as above. */
bool access_write(struct access *a, const struct driver_raw *ask, const char *by, struct raw_written *out);

#endif
