// daprd as it is released (tag "stablecomponents"), plus the few alpha components that the shop uses:
// sqlite as name resolution, because mDNS is unreliable on a laptop, a lock in Redis, and OAuth 2 as middleware.
package main

import (
	"context"

	lockredis "github.com/dapr/components-contrib/lock/redis"
	"github.com/dapr/components-contrib/middleware"
	"github.com/dapr/components-contrib/middleware/http/oauth2"
	"github.com/dapr/components-contrib/nameresolution/sqlite"
	"github.com/dapr/dapr/cmd/daprd/app"
	"github.com/dapr/dapr/pkg/components/lock"
	httpmiddleware "github.com/dapr/dapr/pkg/components/middleware/http"
	"github.com/dapr/dapr/pkg/components/nameresolution"
	runtimemiddleware "github.com/dapr/dapr/pkg/middleware"
	"github.com/dapr/kit/logger"
)

func main() {
	nameresolution.DefaultRegistry.RegisterComponent(sqlite.NewResolver, "sqlite")
	lock.DefaultRegistry.RegisterComponent(lockredis.NewStandaloneRedisLock, "redis")
	httpmiddleware.DefaultRegistry.RegisterComponent(func(log logger.Logger) httpmiddleware.FactoryMethod {
		return func(metadata middleware.Metadata) (runtimemiddleware.HTTP, error) {
			return oauth2.NewOAuth2Middleware(log).GetHandler(context.Background(), metadata)
		}
	}, "oauth2")
	app.Run()
}
