#include "uplink/paho_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTAsync.h>

#include "base/text.h"
#include "uplink/paho.h"
#include "uplink/paho_inside.h"
#include "uplink/paho_tls.h"

/* Paho's lists of clients are the process's; 1.3 frees them with the last client while another thread may be
 * adding one. So making and destroying take turns. It guards Paho's own global state, the one reason for a
 * global here. */
static pthread_mutex_t paho_turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t paho_once = PTHREAD_ONCE_INIT;

static void init_paho(void)
{
    /* OpenSSL 1.1 and later sets itself up; Paho is not to tear down what the rest of the program uses. */
    MQTTAsync_init_options options = MQTTAsync_init_options_initializer;

    options.do_openssl_init = 0;
    MQTTAsync_global_init(&options);
}

/* ---- events ---- */

const char *paho_name_or(const char *name, const char *otherwise)
{
    return name ? name : otherwise;
}

void paho_tell(struct paho_client *c, uint32_t generation, enum paho_event_kind kind, uint64_t token,
               const char *reason)
{
    struct paho_event event = {.kind = kind, .generation = generation, .token = token};

    (void)text_copy(event.reason, sizeof(event.reason), reason);
    c->cbs.event(c->arg, &event);
}

/* Paho has ended the connection or the attempt by itself. */
static void tell_ended(struct paho_client *c, enum paho_event_kind kind, const char *reason, bool doubtful)
{
    struct paho_event event = {.kind = kind, .doubtful = doubtful};

    (void)pthread_mutex_lock(&c->mutex);
    event.generation = c->generation;
    c->idle = true;
    c->up = false;
    (void)pthread_mutex_unlock(&c->mutex);
    (void)text_copy(event.reason, sizeof(event.reason), reason);
    c->cbs.event(c->arg, &event);
    c->cbs.ready(c->arg);
}

/* Paho may call an attempt failed (its receiving thread still at the socket before: "socket error") and complete it all the
 * same: then it is not idle, and the transport's thread ends it. */
static void tell_connected(struct paho_client *c, size_t receive_max)
{
    struct paho_event event = {.kind = PAHO_CONNECTED, .receive_max = receive_max};
    bool given_up;

    (void)pthread_mutex_lock(&c->mutex);
    given_up = c->idle;
    c->idle = false;
    c->up = true;
    event.generation = c->generation;
    (void)pthread_mutex_unlock(&c->mutex);
    if (given_up)
        c->cbs.ready(c->arg);
    else
        c->cbs.event(c->arg, &event);
}

static void connected_v3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    tell_connected(context, SIZE_MAX);
}

static void set_alias_max(struct paho_client *c, int most)
{
    (void)pthread_mutex_lock(&c->mutex);
    c->alias_max = most > 0 ? (unsigned)most : 0;
    (void)pthread_mutex_unlock(&c->mutex);
}

static void connected_v5(void *context, MQTTAsync_successData5 *data)
{
    size_t receive_max = SIZE_MAX;

    if (data && MQTTProperties_hasProperty(&data->properties, MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM))
        set_alias_max(context, MQTTProperties_getNumericValue(&data->properties,
                                                              MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM));

    if (data && MQTTProperties_hasProperty(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)) {
        const int value =
            MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);

        if (value > 0)
            receive_max = (size_t)value;
    }
    tell_connected(context, receive_max);
}

/* MQTT 3.1.1, table 3.1 */
static const char *connack_v3_text(int code)
{
    static const char *const texts[] = {"",
                                        "unacceptable protocol version",
                                        "identifier rejected",
                                        "server unavailable",
                                        "bad user name or password",
                                        "not authorized"};

    for (size_t i = 1; i < RG_COUNT(texts); i++) {
        if (code == (int)i)
            return texts[i];
    }
    return "refused by the broker";
}

static void tell_failed(struct paho_client *c, int code, const char *broker_text, const char *message)
{
    char reason[PAHO_REASON_MAX];
    char tls_error[PAHO_REASON_MAX];

    (void)pthread_mutex_lock(&c->mutex);
    memcpy(tls_error, c->tls_error, sizeof(tls_error));
    (void)pthread_mutex_unlock(&c->mutex);
    if (code > 0)
        (void)text_format(reason, sizeof(reason), "%s (%d)",
                          paho_name_or(broker_text, "refused by the broker"), code);
    else if (tls_error[0])
        (void)text_format(reason, sizeof(reason), "TLS: %.200s", tls_error);
    else
        (void)text_copy(reason, sizeof(reason), paho_name_or(message, "no connection"));
    tell_ended(c, PAHO_FAILED, reason, c->tls && code <= 0);
}

static void failed_v3(void *context, MQTTAsync_failureData *data)
{
    const int code = data ? data->code : 0;

    tell_failed(context, code, connack_v3_text(code), data ? data->message : NULL);
}

static void failed_v5(void *context, MQTTAsync_failureData5 *data)
{
    const int code = data ? data->code : 0;

    tell_failed(context, code, code > 0 ? MQTTReasonCode_toString((enum MQTTReasonCodes)code) : NULL,
                data ? data->message : NULL);
}

static void lost_cb(void *context, char *cause)
{
    tell_ended(context, PAHO_LOST, paho_name_or(cause, "the connection ended"), false);
}

/* DISCONNECT from the broker (MQTT 5): over at once, whether it closes the line or not. */
static void farewell_cb(void *context, MQTTProperties *properties, enum MQTTReasonCodes code)
{
    struct paho_client *c = context;
    char reason[PAHO_REASON_MAX];

    (void)properties;
    (void)text_format(reason, sizeof(reason), "ended by the broker: %s",
                      paho_name_or(MQTTReasonCode_toString(code), "unknown reason"));
    paho_tell(c, paho_client_generation(c), PAHO_LOST, 0, reason);
}

/* The first line is the cause. */
static int tls_error_cb(const char *line, size_t length, void *context)
{
    struct paho_client *c = context;

    (void)pthread_mutex_lock(&c->mutex);
    if (!c->tls_error[0])
        paho_tls_reason(line, length, c->tls_error);
    (void)pthread_mutex_unlock(&c->mutex);
    return 1;
}

/* ---- life ---- */

static int make_handle(struct paho_client *c, const struct paho_target *target)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
    int rc;

    options.MQTTVersion = target->v311 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    options.sendWhileDisconnected = 0;
    options.maxBufferedMessages = 2 * PAHO_SLOTS;
    rc = MQTTAsync_createWithOptions(&c->handle, target->uri, target->client_id, MQTTCLIENT_PERSISTENCE_NONE,
                                     NULL, &options);
    if (rc != MQTTASYNC_SUCCESS)
        return rc;
    rc = MQTTAsync_setCallbacks(c->handle, c, lost_cb, paho_arrived_cb, NULL);
    if (rc == MQTTASYNC_SUCCESS && !target->v311)
        rc = MQTTAsync_setDisconnected(c->handle, c, farewell_cb);
    return rc;
}

enum rg_err paho_client_create(const struct paho_target *target, const struct paho_cbs *cbs, void *arg,
                               struct paho_client **out)
{
    struct paho_client *c = calloc(1, sizeof(*c));
    int rc;

    (void)pthread_once(&paho_once, init_paho);
    if (!c)
        return RG_ENOMEM;
    if (pthread_mutex_init(&c->mutex, NULL) != 0) {
        free(c);
        return RG_ENOMEM;
    }
    c->v311 = target->v311;
    c->tls = target->tls;
    c->cbs = *cbs;
    c->arg = arg;
    c->idle = true;
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        c->slots[i].client = c;
    (void)pthread_mutex_lock(&paho_turn);
    rc = make_handle(c, target);
    (void)pthread_mutex_unlock(&paho_turn);
    if (rc != MQTTASYNC_SUCCESS) {
        paho_client_destroy(c);
        return RG_EINVAL;
    }
    *out = c;
    return RG_OK;
}

void paho_client_destroy(struct paho_client *c)
{
    if (!c)
        return;
    if (c->handle) {
        /* Paho calls back with its lock held, and destroy takes that lock: when it returns, no call is under
         * way. */
        (void)pthread_mutex_lock(&paho_turn);
        MQTTAsync_destroy(&c->handle);
        (void)pthread_mutex_unlock(&paho_turn);
    }
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

/* ---- connecting ---- */

/* Bounds of what the broker may send. No session expiry interval: the session ends with the connection. */
static int connect_properties(MQTTProperties *properties)
{
    MQTTProperty receive = {.identifier = MQTTPROPERTY_CODE_RECEIVE_MAXIMUM};
    MQTTProperty packet = {.identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE};
    int rc;

    receive.value.integer2 = PAHO_RECEIVE_MAX;
    packet.value.integer4 = PAHO_PACKET_MAX;
    rc = MQTTProperties_add(properties, &receive);
    return rc == 0 ? MQTTProperties_add(properties, &packet) : rc;
}

static int begin_connect(struct paho_client *c, const struct paho_target *target, const char *password,
                         const struct paho_will *will)
{
    const MQTTAsync_connectOptions v3 = MQTTAsync_connectOptions_initializer;
    const MQTTAsync_connectOptions v5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions options = target->v311 ? v3 : v5;
    MQTTProperties properties = MQTTProperties_initializer;
    int rc = MQTTASYNC_SUCCESS;
    MQTTAsync_willOptions last_will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions tls = paho_tls_options(target, tls_error_cb, c);

    last_will.topicName = will->topic;
    last_will.payload.data = will->payload;
    last_will.payload.len = (int)will->length;
    last_will.qos = 1;
    last_will.retained = 1;
    options.will = &last_will;
    options.keepAliveInterval = target->keepalive_s;
    options.connectTimeout = PAHO_CONNECT_S;
    options.maxInflight = PAHO_SLOTS;
    options.automaticReconnect = 0;
    options.username = target->username;
    options.binarypwd.data = password;
    options.binarypwd.len = password ? (int)strlen(password) : 0;
    options.ssl = target->tls ? &tls : NULL;
    options.context = c;
    if (target->v311) {
        options.MQTTVersion = MQTTVERSION_3_1_1; /* not the default, which falls back to 3.1 */
        options.cleansession = 1;
        options.onSuccess = connected_v3;
        options.onFailure = failed_v3;
    } else {
        options.cleanstart = 1;
        options.connectProperties = &properties;
        rc = connect_properties(&properties);
        options.onSuccess5 = connected_v5;
        options.onFailure5 = failed_v5;
    }
    if (rc == MQTTASYNC_SUCCESS)
        rc = MQTTAsync_connect(c->handle, &options);
    MQTTProperties_free(&properties);
    return rc;
}

static void set_idle(struct paho_client *c, bool idle)
{
    (void)pthread_mutex_lock(&c->mutex);
    c->idle = idle;
    (void)pthread_mutex_unlock(&c->mutex);
}

enum rg_err paho_client_connect(struct paho_client *c, const struct paho_target *target, const char *password,
                                const struct paho_will *will, uint32_t generation, char *why)
{
    int rc;

    (void)pthread_mutex_lock(&c->mutex);
    c->generation = generation;
    c->alias_max = 0;
    memset(c->alias_known, 0, sizeof(c->alias_known));
    c->tls_error[0] = '\0';
    (void)pthread_mutex_unlock(&c->mutex);
    if (target->tls) {
        enum rg_err err = paho_tls_check(target, why);

        if (err != RG_OK)
            return err;
    }
    set_idle(c, false);
    rc = begin_connect(c, target, password, will);
    if (rc == MQTTASYNC_SUCCESS)
        return RG_OK;
    set_idle(c, true);
    (void)text_copy(why, PAHO_REASON_MAX, paho_name_or(MQTTAsync_strerror(rc), "Paho refuses the options"));
    return RG_EINVAL;
}

/* ---- what may be asked at any time ---- */

bool paho_client_ready(struct paho_client *c)
{
    bool ready = true;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        ready = ready && (!c->slots[i].used || c->slots[i].generation == c->generation);
    (void)pthread_mutex_unlock(&c->mutex);
    return ready;
}

bool paho_client_idle(struct paho_client *c)
{
    bool idle;

    (void)pthread_mutex_lock(&c->mutex);
    idle = c->idle;
    (void)pthread_mutex_unlock(&c->mutex);
    return idle;
}

bool paho_client_holds(struct paho_client *c)
{
    bool holds = false;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS && (c->idle || c->up); i++)
        holds = holds || c->slots[i].used;
    (void)pthread_mutex_unlock(&c->mutex);
    return holds;
}

bool paho_client_alias_left(struct paho_client *c)
{
    bool left = false;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        left = left || (c->slots[i].used && c->slots[i].bare);
    (void)pthread_mutex_unlock(&c->mutex);
    return left;
}

void paho_client_forgo_alias(struct paho_client *c)
{
    (void)pthread_mutex_lock(&c->mutex);
    c->no_alias = true;
    (void)pthread_mutex_unlock(&c->mutex);
}

uint32_t paho_client_generation(struct paho_client *c)
{
    uint32_t generation;

    (void)pthread_mutex_lock(&c->mutex);
    generation = c->generation;
    (void)pthread_mutex_unlock(&c->mutex);
    return generation;
}
