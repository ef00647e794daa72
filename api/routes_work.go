package api

const (
	inJob       = inProject + "/jobs/{jobID}"
	inMetaEvent = inProject + "/meta-events/{metaEventID}"
)

// workRoutes are the routes of what goes through a project: events, deliveries and
// attempts, and what is done over again with them.
var workRoutes = []route{
	{"GET " + inProject + "/events", ofProject, (*API).listEvents},
	{"GET " + inProject + "/events/stream", ofProject, (*API).streamEvents},
	{"GET " + inEvent, ofProject, (*API).getEvent},
	{"PUT " + inEvent + "/replay", ofProject, (*API).replayEvent},
	{"POST " + inProject + "/events/batchreplay", ofProject, (*API).batchReplay},
	{"GET " + inProject + "/events/countbatchreplayevents", ofProject, (*API).countBatchReplay},

	{"GET " + inProject + "/eventdeliveries", ofProject, (*API).listDeliveries},
	{"GET " + inProject + "/eventdeliveries/stream", ofProject, (*API).streamDeliveries},
	{"GET " + inDelivery, ofProject, (*API).getDelivery},
	{"PUT " + inDelivery + "/resend", ofProject, (*API).resendDelivery},
	{"POST " + inProject + "/eventdeliveries/forceresend", ofProject, (*API).forceResend},
	{"POST " + inProject + "/eventdeliveries/batchretry", ofProject, (*API).batchRetry},
	{"PUT " + inProject + "/eventdeliveries/batchretry", ofProject, (*API).batchRetry}, // older Go clients
	{"GET " + inProject + "/eventdeliveries/countbatchretryevents", ofProject, (*API).countBatchRetry},
	{"GET " + inProject + "/eventdeliveries/statustotals", ofProject, (*API).statusTotals},
	{"GET " + inDelivery + "/deliveryattempts", ofProject, (*API).listAttempts},
	{"GET " + inDelivery + "/deliveryattempts/{deliveryAttemptID}", ofProject, (*API).getAttempt},

	{"GET " + inProject + "/jobs", ofProject, (*API).listJobs},
	{"GET " + inJob, ofProject, (*API).getJob},
	{"PUT " + inJob + "/cancel", ofProject, (*API).cancelJob},
	{"POST " + inJob + "/cancel", ofProject, (*API).cancelJob},

	{"GET " + inProject + "/meta-events", ofProject, (*API).listMetaEvents},
	{"GET " + inMetaEvent, ofProject, (*API).getMetaEvent},
	{"PUT " + inMetaEvent + "/resend", ofProject, (*API).resendMetaEvent},
}
