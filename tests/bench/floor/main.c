/* The floor that riskgate stands on: what the libraries and the disk take for the same work, alone and together, and a subscriber that
 * counts what arrives. tests/bench/run calls it; each part prints one JSON object. */
#include <stdio.h>
#include <string.h>

#include "measure.h"

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int count, char **arguments);
        const char *arguments;
    } parts[] = {
        {"modbus", floor_modbus, "MS REGISTERS PORT..."},
        {"disk", floor_disk, "MS FOLDER ROWS BYTES"},
        {"mqtt", floor_mqtt, "MS BROKER_PORT"},
        {"together", floor_together, "MS PERIOD_MS REGISTERS FOLDER BROKER_PORT PORT..."},
        {"subscribe", floor_subscribe, "BROKER_PORT"},
        {"alarm", floor_alarm, "BROKER_PORT CORE+1 FOLDER"},
    };
    int status = 2;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && argc > 1; i++)
        if (strcmp(argv[1], parts[i].name) == 0)
            status = parts[i].run(argc - 2, argv + 2);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == 2; i++)
        (void)fprintf(stderr, "%s bench_floor %s %s\n", i == 0 ? "usage:" : "      ", parts[i].name,
                      parts[i].arguments);
    return status;
}
