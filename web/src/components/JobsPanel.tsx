import { jobs, menu } from "../state";
import type { Job } from "../types";
import { bytes, dropJob, duration } from "../work";
import { IconButton, Sheet } from "./controls";
import { Icon } from "./icons";

export function JobsPanel() {
  const list = [...jobs.value].sort((a, b) => Number(b.created) - Number(a.created));
  return (
    <Sheet title="Jobs" onClose={() => (menu.value = "none")} class="jobs">
      {!list.length && <p class="fine">Nothing yet. Videos and slower methods run here while you go on; they survive a reload of this page.</p>}
      <ul>
        {list.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </ul>
    </Sheet>
  );
}

function words(job: Job): string {
  if (job.state === "queued") return "Waiting for its turn";
  if (job.state === "running") {
    const left = job.eta_s === null ? "" : `, about ${duration(job.eta_s)} left`;
    return `${job.stage.charAt(0).toUpperCase()}${job.stage.slice(1)}${left}`;
  }
  if (job.state === "done") return job.result ? `Finished, ${bytes(job.result.bytes)}` : "Finished";
  return job.state === "cancelled" ? "Cancelled" : (job.error ?? "It failed");
}

function JobCard({ job }: { job: Job }) {
  const active = job.state === "queued" || job.state === "running";
  return (
    <li class="job" data-state={job.state}>
      <div class="job-picture">{job.preview ? <img src={job.preview} alt="How it looks so far" /> : <Icon name={job.kind === "video" ? "video" : "photo"} />}</div>
      <div class="job-words">
        <strong>{job.title}</strong>
        <small>{words(job)}</small>
        {active && <progress max={1} value={job.progress} aria-label={`${job.title}: ${Math.round(job.progress * 100)} percent`} />}
        {job.result && (
          <a class="primary small" href={job.result.url} download={job.result.name}>
            <Icon name="download" />
            Download
          </a>
        )}
      </div>
      <IconButton icon="close" label={active ? `Cancel ${job.title}` : `Remove ${job.title}`} onClick={() => void dropJob(job.id)} />
    </li>
  );
}
