/* The daemon's life: start, reload, stop. Everything after app_create happens on the loop. */
#ifndef RG_APP_APP_H
#define RG_APP_APP_H

#include "app/pipeline.h"
#include "config/config.h"

/* How long a stop waits for the platforms to take what waits for them. */
#define APP_STOP_UPLINK_MS 5000
#define APP_RELOAD_UPLINK_MS 2000
/* How long a stop, and a reload that removes outputs, wait for these to be brought to their on_stop states. */
#define APP_OUTPUT_MS 3000

struct app;

/* Starts everything from a configuration without errors, which it takes over (also when it fails). Logs what is wrong. */
RG_NODISCARD enum rg_err app_create(struct loop *loop, const struct pipeline_env *env, struct config *config,
                                    struct app **out);
/* Reads the configuration file again, off the loop, and takes it whole or not at all. by: who asked. While a reload is under
 * way, one more is remembered. */
void app_reload(struct app *a, const char *by);
/* Flushes, tells the platforms, and calls done on the loop. Further calls are ignored. */
void app_stop(struct app *a, const char *reason, void (*done)(void *arg), void *arg);
/* At once (after done of app_stop, or in tests without). RG_EIO: the store could not commit its last records. */
enum rg_err app_destroy(struct app *a);

/* Each issue of a configuration as a line of the log. */
void app_log_issues(const struct config *config);

struct pipeline *app_pipeline(struct app *a); /* for tests */

#endif
