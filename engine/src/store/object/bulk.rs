//! Many files at once.

use std::future::ready;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::client::REQUESTS;
use super::gather::FILES;
use super::{Object, runtime};
use crate::error::{Error, Result};
use crate::faults;
use crate::store::{Fetch, FetchJob, Fetched, Job, Publish, Published};

impl Object {
    /// Fetches many files and folders in parallel; results come in the order of the jobs.
    pub(in crate::store) fn fetch_many<'a>(
        &self,
        jobs: &[FetchJob<'a>],
        how: &Fetch<'a>,
    ) -> Vec<Result<Fetched>> {
        let all = runtime::run(how.progress, async {
            let get = |job: &FetchJob<'a>| {
                let (job, how) = (*job, job.how(how));
                async move { Ok(self.get(job.key, job.target, &how).await) }
            };
            stream::iter(jobs).map(get).buffered(FILES).try_collect().await
        });
        all.unwrap_or_else(|error| failed(&error, jobs.len()))
    }

    /// Publishes many files in parallel, and folders one after the other; results come in the order of the jobs.
    pub(in crate::store) fn publish_many(&self, jobs: &[Job], how: &Publish<'_>) -> Vec<Result<Published>> {
        let all = runtime::run(how.progress, async {
            self.writable()?;
            self.client().await?;
            let put = |job: &Job| {
                let job = job.clone();
                async move {
                    let how = job.how(how);
                    if job.source.is_dir() {
                        self.put_folder(&job.source, &job.key, &how).await
                    } else {
                        self.put_file(&job.source, &job.key, &how).await
                    }
                }
            };
            let (folders, files): (Vec<usize>, Vec<usize>) =
                (0..jobs.len()).partition(|&at| jobs[at].source.is_dir());
            let mut results: Vec<Option<Result<Published>>> = Vec::new();
            results.resize_with(jobs.len(), || None);
            let mut done = stream::iter(files)
                .map(|at| {
                    let put = put(&jobs[at]);
                    async move { (at, put.await) }
                })
                .buffer_unordered(REQUESTS);
            while let Some((at, result)) = done.next().await {
                results[at] = Some(result);
            }
            drop(done);
            for at in folders {
                results[at] = Some(put(&jobs[at]).await);
            }
            Ok(results)
        });
        match all {
            Ok(results) => results
                .into_iter()
                .map(|result| {
                    result.unwrap_or_else(|| Err(Error::invalid("The job was not reached; publish it again")))
                })
                .collect(),
            Err(error) => failed(&error, jobs.len()),
        }
    }

    /// Removes many objects; what is not there is passed over.
    pub(super) async fn delete(&self, keys: &[String]) -> Result<()> {
        let client = self.client().await?;
        let places: Vec<_> = keys.iter().map(|key| self.location(key)).collect::<Result<_>>()?;
        faults::hit("object.delete");
        let removed = client.store.delete_stream(stream::iter(places.into_iter().map(Ok)).boxed());
        removed
            // An error for one that is not there must not end the removal of those behind it.
            .filter(|removed| ready(!matches!(removed, Err(object_store::Error::NotFound { .. }))))
            .try_for_each(|_| async { Ok(()) })
            .await
            .map_err(|error| self.fail(client, keys.first().map_or("", String::as_str), error))
    }
}

/// Returns that so many jobs failed, all for the same reason.
fn failed<T>(error: &Error, jobs: usize) -> Vec<Result<T>> {
    (0..jobs).map(|_| Err(Error::new(error.kind(), error.message()))).collect()
}
