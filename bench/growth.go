package bench

import (
	"context"
	"fmt"

	"posthaste/bench/report"
)

func (r *runner) growth(context.Context) (*report.Scenario, error) {
	return nil, fmt.Errorf("%w: not built yet", errLeftOut)
}
